"""Reading the next version of a large document: it is the same as reading it anew, and what stayed is shared."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents import codec
from statewatch.documents.parts import Parts, parts_of
from statewatch.documents.values import JSON
from tests.documents.strategies import laws, values
from tests.documents.strict import strictly

MANY: dict[str, JSON] = {str(number): {"commit": {"sha": f"{number:07x}", "success": True}} for number in range(100)}


def batch(**fields: Any) -> dict[str, JSON]:
    return {"id": "b", "titles": ["one", "zwölf"], "done": [1], "git": MANY, **fields}


def text(document: JSON) -> bytes:
    return codec.encode(document)


def taken_apart(document: JSON, before: Parts | None = None) -> Parts:
    found = parts_of(text(document), before)
    assert found is not None
    assert repr(found.document) == repr(document)
    return found


def test_what_stayed_is_the_very_same_value() -> None:
    before = taken_apart(batch())
    after = taken_apart(batch(done=[1, 2]), before)
    assert after.document["titles"] is before.document["titles"]
    assert after.document["git"] is before.document["git"]


@pytest.mark.parametrize(
    ("git", "shared"),
    [
        ({**MANY, "100": {"push": {}}}, 100),
        ({**MANY, "50": {"commit": {"success": False}}}, 99),
        ({"new": {}, **MANY}, 100),
        ({key: value for key, value in MANY.items() if key != "30"}, 99),
        (dict(list(MANY.items())[:99]), 99),
        (dict(list(MANY.items())[1:]), 99),
    ],
    ids=["added", "changed", "put in front", "removed", "last removed", "first removed"],
)
def test_of_a_large_member_only_what_changed_is_new(git: dict[str, JSON], shared: int) -> None:
    before = taken_apart(batch())
    after = taken_apart(batch(git=git), before)
    old, new = before.document["git"], after.document["git"]
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    same = [key for key in new if new[key] is old.get(key)]
    assert shared - 1 <= len(same) <= shared
    assert "git" in after.regular


def test_a_member_of_a_large_one_that_occurs_twice_is_left_to_the_codec() -> None:
    before = taken_apart(batch())
    twice = text(batch()).replace(b'    "99": ', b'    "98": ')
    assert parts_of(twice, before) is None
    with pytest.raises(codec.DocumentError, match="'98' occurs twice"):
        codec.decode(twice)


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"a": 1}',
        b'{\n  "a": 1,\n  "a": 2\n}',
        b'{\n  "a": {"x": 1,\n  "y": 2}\n}',  # the line of `y` is not that of a member of the whole
        b'{\n  "a": 1, "b": 2\n}',
        b'{\n  "a": 1,\n  "b": 2,\n}',
        b'{\n  "a": 1\n} {\n}',
        b'{\n  "a\\": 1\n}',
        b'{\n  "a": \n}',
        b'{\n  "a" : 1\n}',
    ],
)
def test_other_layouts_and_damage_are_left_to_the_codec(data: bytes) -> None:
    assert parts_of(data) is None


def test_members_that_only_look_like_lines_of_a_large_one_are_not_mixed_up() -> None:
    inner = ",\n    ".join(f'"k{number}": 0' for number in range(100))
    odd = f'{{\n  "a": {{\n    "x": {{{inner}}}, {", ".join(f"{chr(34)}m{n}{chr(34)}: 0" for n in range(99))}\n  }}\n}}'
    before = parts_of(odd.encode())
    assert before is not None
    data = odd.replace('"k50": 0', '"k50": 1').encode()
    after = parts_of(data, before)
    assert after is not None
    assert after.document == json.loads(data)


@laws
@given(st.dictionaries(st.text(), values, min_size=1, max_size=5), st.data())
def test_the_next_version_is_what_the_codec_says(document: dict[str, JSON], data: st.DataObject) -> None:
    before = parts_of(text({**document, "git": MANY}))
    git = dict(MANY)
    for key in data.draw(st.lists(st.sampled_from([*MANY, "x", "y"]), max_size=4)):
        if git.pop(key, None) is None or data.draw(st.booleans()):
            git[key] = data.draw(values)
    changed = text({**document, data.draw(st.sampled_from([*document, "new"])): data.draw(values), "git": git})
    at = data.draw(st.integers(0, len(changed)))
    damage = data.draw(st.sampled_from([b"", b"", b'"', b",", b"{", b" ", b",\n    ", b"1", b"\n"]))
    changed = changed[:at] + damage + changed[at:]
    found = parts_of(changed, before)
    if found is None:
        return
    assert repr(found.document) == repr(strictly(changed))
    once_more = parts_of(changed, found)
    assert once_more is not None
    assert all(once_more.document[name] is value for name, value in found.document.items())
