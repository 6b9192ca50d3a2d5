"""The Lua scripts by which the Redis store reads many keys at one moment, and commits.

Redis runs a script alone: nothing comes in between, and a script that was begun is finished. Many values go in and out
as two texts, their lengths and all of them in a row. Redis' Lua hashes only some of the characters of a long text, and
so takes minutes when it holds 100,000 values that differ in the others only; so no script holds many at a time.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

Field = bytes | None


class Script(NamedTuple):
    """A script, and the name under which the server knows it once it has run."""

    text: str
    sha: str


def packed(fields: Iterable[bytes]) -> tuple[str, bytes]:
    """Return the lengths of *fields*, and all of them in a row."""
    texts = list(fields)
    return ",".join(str(len(text)) for text in texts), b"".join(texts)


def unpacked(lengths: bytes, row: bytes) -> list[Field]:
    """Return the fields that a script has packed; None stands for what is not there."""
    fields: list[Field] = []
    at = 0
    for length in map(int, lengths.split(b",") if lengths else ()):
        fields.append(row[at : at + length] if length >= 0 else None)
        at += max(length, 0)
    return fields


def _script(*parts: str) -> Script:
    text = "".join(parts)
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


_PAGES = """
local PAGE = 500

-- Calls visit with the names that match, page by page; a name may come twice. KEYS is five times faster than SCAN, but
-- gives all names at once, and is forbidden on some servers.
local function pages(pattern, visit)
  local names = redis.pcall('KEYS', pattern)
  if not names.err and #names <= PAGE then
    if #names > 0 then visit(names) end
    return
  end
  names = nil
  local cursor = '0'
  repeat
    local page = redis.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', PAGE)
    cursor = page[1]
    if #page[2] > 0 then
      visit(page[2])
      page = nil
      collectgarbage()
    end
  until cursor == '0'
end
"""

_PACK = """
local all_lengths, rows = {}, {}

-- Packs what each page holds: of each name, the fields that look(name, put, index, names) puts.
local function pack(pattern, prepare, look)
  pages(pattern, function(names)
    local lengths, texts = {}, {}
    local function put(text)
      lengths[#lengths + 1] = text and #text or -1
      texts[#texts + 1] = text or nil
    end
    local prepared = prepare(names)
    for i, name in ipairs(names) do look(name, put, prepared[i]) end
    all_lengths[#all_lengths + 1] = table.concat(lengths, ',')
    rows[#rows + 1] = table.concat(texts)
  end)
  return {table.concat(all_lengths, ','), table.concat(rows)}
end
"""

NAMES = _script(
    _PAGES,
    _PACK,
    """
return pack(ARGV[1], function(names) return names end, function(name, put) put(name) end)
""",
)
"""Arguments: a pattern. Returns the names that match, packed; one may be there twice."""

VALUES = _script(
    _PAGES,
    _PACK,
    """
return pack(
  ARGV[1],
  function(names) return redis.call('MGET', unpack(names)) end,
  function(name, put, value)
    put(name)
    put(value)
  end
)
""",
)
"""Arguments: a pattern. Returns names and values, packed; no value where it is of another type than text."""

CHECKPOINTS = _script(
    _PAGES.replace("PAGE = 500", "PAGE = 5000"),  # names of checkpoints are short
    """
local start = #ARGV[2] + 1
local names, notes = redis.pcall('HKEYS', ARGV[3]), redis.pcall('HVALS', ARGV[3])
if names.err then names, notes = {}, {} end
local known, there, strangers = {}, {}, {}
for i, name in ipairs(names) do known[name] = i end
pages(ARGV[1], function(found)
  for _, name in ipairs(found) do
    local short = string.sub(name, start)
    local i = known[short]
    if i then there[i] = true else strangers[#strangers + 1] = short end
  end
end)
local gone = {}
for i in ipairs(names) do if not there[i] then gone[#gone + 1] = i - 1 end end
return {table.concat(names, '\\n'), table.concat(notes, '\\n'), #names, table.concat(gone, ','), strangers}
""",
)
"""Arguments: a pattern, the prefix of the names, the key of our index. Returns the names and the notes of the index, a
line each, how many there are, the places of those that are gone, and the names that it does not know. Nothing is read
of the checkpoints themselves."""

STRANGERS = _script("""
local found = {}
for i = 3, #ARGV do
  local size = redis.pcall('STRLEN', ARGV[1] .. ARGV[i])
  found[#found + 1] = type(size) == 'number' and tostring(size) or ''
  local note = redis.pcall('GET', ARGV[2] .. ARGV[i])
  found[#found + 1] = type(note) == 'string' and note or ''
end
return found
""")
"""Arguments: the prefix of checkpoints, that of single notes, and names. Returns the size and note of each in turn."""

COMMIT = _script(
    _PAGES,
    """
local own, pattern, expected = ARGV[1], ARGV[2], tonumber(ARGV[3])
local writer, number, lifetime = ARGV[4], tonumber(ARGV[5]), ARGV[6]
local turn, about, format = ARGV[7], ARGV[8], tonumber(ARGV[9])
local conditions, frees = tonumber(ARGV[10]), ARGV[11] == '1'
local lengths, row = string.gmatch(ARGV[12], '%d+'), ARGV[13]
local marker, meta, turns = own .. 'writer:' .. writer, own .. 'meta', own .. 'turn'

local at = 1
local function field()
  local length = lengths()
  if not length then return nil end
  local start = at
  at = at + tonumber(length)
  return string.sub(row, start, at - 1)
end

if writer ~= '' then
  local found = tonumber(redis.call('HGET', meta, 'format') or format)
  if found > format then return {'newer', tostring(found)} end
  if math.abs(tonumber(redis.call('GET', marker) or '0')) >= number then return {'void'} end
  local other = about ~= '' and redis.call('GET', turns)
  if other and other ~= turn then return {'turn', other} end
end

-- 1. Is everything as it was read?
for i = 1, conditions do
  local key, mark = field(), field()
  if mark == '*' then
    if redis.call('EXISTS', key) == 0 then return {'stale'} end
  else
    local text = redis.pcall('GET', key)
    if mark == '!' then
      if type(text) ~= 'table' then return {'stale'} end
    elseif string.sub(mark, 1, 1) == '#' then
      local note = redis.call('HGET', own .. 'checkpoints', key)
      if (note and redis.sha1hex(note) or '') ~= string.sub(mark, 2) then return {'stale'} end
    elseif type(text) == 'table' or (text and redis.sha1hex(text) or '') ~= mark then return {'stale'} end
  end
  if i % PAGE == 0 then collectgarbage() end
end
if expected >= 0 then
  local count = 0
  pages(pattern, function(names) count = count + #names end)
  if count ~= expected then return {'stale'} end
end
if writer == '' then return {'done'} end

-- 2. What is our own comes first, so that where it is refused (no memory, no permission) nothing else is done. Redis
-- lets a script that has begun with a deletion go on without memory: what only frees memory may.
if frees then redis.call('DEL', own .. 'nothing') end
redis.call('SET', marker, number, 'EX', lifetime)
redis.call('HSETNX', meta, 'format', format)
local revision
if about ~= '' then
  revision = redis.call('HINCRBY', meta, 'revision', 1)
  redis.call('HSET', meta, 'last', about)
end
if turn ~= '' then redis.call('DEL', turns) end

-- 3. The writes: each is the number of its words, and the words of a command.
local done = 0
local words = field()
while words do
  local command = {}
  for i = 1, tonumber(words) do command[i] = field() end
  redis.call(unpack(command))
  done = done + 1
  if done % PAGE == 0 then collectgarbage() end
  words = field()
end
if revision then redis.pcall('PUBLISH', own .. 'changes', revision) end
return {'done'}
""",
)
"""Commits, if nothing has changed of what was read.

Arguments: the prefix of our own keys; the pattern of the namespace and how many keys match it, -1 if that does not
matter; the writer, the number of this commit of its, and for how many seconds that is to be known; the turn it has, if
any; who is writing what, if others shall know; the format that is known; how many conditions there are; 1 if the writes
only free memory; and packed, conditions and writes. A condition is a key and the SHA-1 of its text, nothing if it must
not be there, `*` if any text will do, `!` if it must be of another type than text. One whose mark begins with `#` is a
name and the same of the note on it in the index of checkpoints. Without a writer it only looks.
Returns `done`, `stale`, `void` (that commit was made already, or given up), `turn` and whose it is, or `newer` and
the format that is there.
"""

GIVE_UP = _script("""
local marker, number = ARGV[1], tonumber(ARGV[2])
if tonumber(redis.call('GET', marker) or '0') == number then return 1 end
redis.call('SET', marker, -number, 'EX', ARGV[3])
return 0
""")
"""Arguments: the key of a writer, the number of a commit, and for how many seconds that is to be known.

Returns 1 if the commit was made, else 0: and then it never will be, should its request still be on the way.
"""

TAKE_TURN = _script("""
local other = redis.call('GET', ARGV[1])
if other and other ~= ARGV[2] then return other end
redis.call('SET', ARGV[1], ARGV[2], 'PX', ARGV[3])
return ''
""")
"""Arguments: the key of the turn, who wants it, for how many milliseconds. Returns whose it is if another's."""

LEAVE_TURN = _script("""
if redis.call('GET', ARGV[1]) == ARGV[2] then redis.call('DEL', ARGV[1]) end
""")
"""Arguments: the key of the turn, and who had it."""
