"""Two documents side by side as lines of text, laid out alike: what unified and side-by-side views are made of.

Nothing is rendered before it is asked for, so that the first lines of a large difference are there at once.
"""

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from statewatch.documents.alike import settled
from statewatch.documents.diff import Change, Identities, identity_at
from statewatch.documents.lists import origins_of
from statewatch.documents.sequences import common, increasing
from statewatch.documents.values import JSON, Path

_INDENT: Final = "  "


class Line(NamedTuple):
    """One line, as it was and as it is: None on the side that does not have it.

    `is_changed` tells one that differs from one in which at most the comma at its end does. `place` is where it stands:
    the path of the container that it is in, or its number, from 1, in a text.
    """

    before: str | None
    after: str | None
    is_changed: bool
    place: Path | int


class _Member(NamedTuple):
    """A value with what stands around it in its line: its key, and what follows it in each of the documents."""

    key: str = ""
    comma_before: str = ""
    comma_after: str = ""
    place: Path = ()
    level: int = 0


class _Rules(NamedTuple):
    """What identifies the objects in lists, and where differences do not count."""

    identities: Identities | None
    quiet: Callable[[Change], bool]


_Work: TypeAlias = Generator["Line | _Work", None, None]


def document_lines(
    before: JSON, after: JSON, identities: Identities | None = None, quiet: Callable[[Change], bool] = lambda _: False
) -> Iterator[Line]:
    """Yield two documents as lines; members that only *after* has stand behind those that they follow there.

    An item of a list that was moved is one that goes and one that comes. *identities* are those of `diff`. A plain
    value whose replacement is *quiet* does not count as changed: both values are in its line. Positions are those of
    *before*.
    """
    work: list[_Work] = [_pair(before, after, _Member(), _Rules(identities, quiet), ())]
    while work:
        item = next(work[-1], None)
        if item is None:
            work.pop()
        elif isinstance(item, Line):
            yield item
        else:
            work.append(item)


def value_lines(value: JSON, *, is_new: bool) -> Iterator[Line]:
    """Yield a document that is only on one side as lines."""
    return _come(_text(value), _Member()) if is_new else _gone(_text(value), _Member())


def text_lines(before: list[str], after: list[str]) -> Iterator[Line]:
    """Yield two texts as lines. Lines between two that are the same stand beside each other, if there are as many."""
    i = j = 0
    for p, q in [*common(before, after), (len(before), len(after))]:
        old, new = before[i:p], after[j:q]
        if len(old) == len(new):
            yield from (Line(one, other, True, i + n + 1) for n, (one, other) in enumerate(zip(old, new, strict=True)))
        else:
            yield from (Line(one, None, True, i + n + 1) for n, one in enumerate(old))
            yield from (Line(None, other, True, j + n + 1) for n, other in enumerate(new))
        if p < len(before):
            yield Line(before[p], after[q], False, p + 1)
        i, j = p + 1, q + 1


def _pair(before: JSON, after: JSON, member: _Member, rules: _Rules, path: Path) -> _Work:
    if settled(before, after):
        yield from _same(before, member)
    elif isinstance(before, dict) and isinstance(after, dict) and before and after:
        yield from _brackets("{", member)
        yield _members(before, after, member, rules, path)
        yield from _brackets("}", member)
    elif isinstance(before, list) and isinstance(after, list) and before and after:
        yield from _brackets("[", member)
        yield _items(before, after, member, rules, path)
        yield from _brackets("]", member)
    else:
        old, new = _text(before), _text(after)
        if len(old) == len(new) == 1:
            margin = _INDENT * member.level + member.key
            one, other = margin + old[0] + member.comma_before, margin + new[0] + member.comma_after
            is_quiet = old == new or rules.quiet(Change("replace", path, before, after))
            yield Line(one, other, not is_quiet, member.place)
        else:
            yield from _gone(old, member)
            yield from _come(new, member)


def _members(before: dict[str, JSON], after: dict[str, JSON], member: _Member, rules: _Rules, path: Path) -> _Work:
    behind: dict[str | None, list[str]] = {}
    last: str | None = None
    for key in after:
        if key in before:
            last = key
        else:
            behind.setdefault(last, []).append(key)
    order: list[str] = list(behind.get(None, ()))
    for key in before:
        order += [key, *behind.get(key, ())]
    final_before = next(reversed(before))
    final_after = next(key for key in reversed(order) if key in after)
    for key in order:
        inner = _inside(member, path, f"{json.dumps(key, ensure_ascii=False)}: ")
        inner = inner._replace(
            comma_before="" if key == final_before else ",", comma_after="" if key == final_after else ","
        )
        if key not in after:
            yield from _gone(_text(before[key]), inner)
        elif key not in before:
            yield from _come(_text(after[key]), inner)
        else:
            yield _pair(before[key], after[key], inner, rules, (*path, key))


def _items(before: list[JSON], after: list[JSON], member: _Member, rules: _Rules, path: Path) -> _Work:
    origins = origins_of(before, after, identity_at(rules.identities, path))
    kept = [(i, j) for j, i in enumerate(origins) if i >= 0]
    stays = [kept[at] for at in increasing([i for i, _ in kept])]
    i = j = 0
    for p, q in [*stays, (len(before), len(after))]:
        for at in range(i, p):
            yield from _gone(_text(before[at]), _item(member, path, at, at, len(before), len(after)))
        for at in range(j, q):
            yield from _come(_text(after[at]), _item(member, path, at, at, len(before), len(after)))
        if p < len(before):
            inner = _item(member, path, p, q, len(before), len(after))
            yield _pair(before[p], after[q], inner, rules, (*path, p))
        i, j = p + 1, q + 1


def _inside(member: _Member, path: Path, key: str = "") -> _Member:
    return _Member(key, ",", ",", path, member.level + 1)


def _item(member: _Member, path: Path, i: int, j: int, count: int, other: int) -> _Member:
    inner = _inside(member, path)
    return inner._replace(comma_before="," if i + 1 < count else "", comma_after="," if j + 1 < other else "")


def _brackets(sign: str, member: _Member) -> Iterator[Line]:
    margin = _INDENT * member.level
    if sign in "[{":
        yield Line(margin + member.key + sign, margin + member.key + sign, False, member.place)
    else:
        yield Line(margin + sign + member.comma_before, margin + sign + member.comma_after, False, member.place)


def _same(value: JSON, member: _Member) -> Iterator[Line]:
    text = _text(value)
    ours = _framed(text, member, member.comma_before)
    theirs = ours if member.comma_before == member.comma_after else _framed(text, member, member.comma_after)
    for one, other in zip(ours, theirs, strict=True):
        yield Line(one, other, False, member.place)


def _gone(text: list[str], member: _Member) -> Iterator[Line]:
    return (Line(one, None, True, member.place) for one in _framed(text, member, member.comma_before))


def _come(text: list[str], member: _Member) -> Iterator[Line]:
    return (Line(None, one, True, member.place) for one in _framed(text, member, member.comma_after))


def _framed(text: Iterable[str], member: _Member, comma: str) -> list[str]:
    """Return the lines of a value with its key in front, a comma behind, and the margin that they have there."""
    margin = _INDENT * member.level
    lines = [margin + line for line in text]
    lines[0] = margin + member.key + lines[0][len(margin) :]
    lines[-1] += comma
    return lines


def _text(value: JSON) -> list[str]:
    if not isinstance(value, dict | list):
        return [json.dumps(value, ensure_ascii=False)]
    import orjson  # noqa: PLC0415 - as everywhere: not for those who render nothing

    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode().split("\n")
    except orjson.JSONEncodeError:  # what only the standard library writes: integers beyond 64 bits, half surrogates
        return json.dumps(value, indent=2, ensure_ascii=False).split("\n")
