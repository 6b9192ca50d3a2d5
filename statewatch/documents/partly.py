"""Making only some of the changes between two documents: what is left when others of them are taken back."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from statewatch.documents.changes import Change, ConflictError
from statewatch.documents.edit import Editor
from statewatch.documents.pointer import PointerError
from statewatch.documents.values import JSON, Path


def partly(before: JSON, changes: Sequence[Change], wanted: Callable[[int], bool]) -> JSON:
    """Return *before* with those of *changes* made whose index is *wanted*; it is left as it is.

    *changes* are as `diff` gives them. The positions that they name in lists hold only when all of them are made, so
    what is rearranged in a list is told by its items: those that stay keep their order, and one that comes back goes
    behind the item that it was behind. With all of them wanted it is `apply`. Raises ConflictError where *before* has
    not the places that they are about.
    """
    editor = Editor(before)
    numbered = enumerate(changes)
    for holder, group in groupby(numbered, key=lambda each: _rearranges(each[1])):
        try:
            if holder is None:
                _change_values(editor, [change for index, change in group if wanted(index)])
            else:
                _rearrange(editor, holder, [(change, wanted(index)) for index, change in group])
        except (PointerError, IndexError):
            raise ConflictError([changes[0].pointer]) from None
    return editor.document


def _rearranges(change: Change) -> Path | None:
    """Return the list whose items a change adds, removes or moves; None for one of another sort."""
    path = change.path
    return path[:-1] if change.op != "replace" and path and isinstance(path[-1], int) else None


def _change_values(editor: Editor, changes: Iterable[Change]) -> None:
    for change in changes:
        if change.op == "replace":
            editor.put(change.path, change.after)
        elif change.op == "add":
            editor.insert(change.path, change.after)
        else:
            editor.take(change.path)


def _rearrange(editor: Editor, holder: Path, steps: list[tuple[Change, bool]]) -> None:
    """Give a list the items and the order that it has with the wanted ones of all the *steps* that rearrange it."""
    items = editor.get(holder)
    if not isinstance(items, list):
        raise PointerError("it is no list")
    length = len(items)
    order, unwanted, moved, news = _followed(length, steps)
    kept = [number for number in order if number not in unwanted]
    fixed = sorted(number for number in kept if number < length and number not in moved)
    behind = _followers(fixed, sorted(number for number in unwanted if number < length))
    result: list[JSON] = []
    for number in (-1, *kept):
        result += [] if number < 0 else [news[number] if number in news else items[number]]
        follower = behind.get(number)
        while follower is not None:
            result.append(items[follower])
            follower = behind.get(follower)
    editor.put(holder, result)


def _followed(length: int, steps: list[tuple[Change, bool]]) -> tuple[list[int], set[int], set[int], dict[int, JSON]]:
    """Make all steps on the numbers of the items; new items have numbers from *length* on.

    Return the numbers in the order of then, those that are to be as they were, those that are wanted elsewhere than
    they were, and the new items.
    """
    order = list(range(length))
    unwanted: set[int] = set()
    moved: set[int] = set()
    news: dict[int, JSON] = {}
    for change, is_wanted in steps:
        at = change.path[-1]
        assert isinstance(at, int)
        if change.op == "add":
            number = length + len(news)
            news[number] = change.after
            order.insert(at, number)
        elif change.op == "remove":
            number = order.pop(at)
        else:
            source = (change.source or change.path)[-1]
            assert isinstance(source, int)
            number = order.pop(source)
            order.insert(at, number)
            moved.add(number)
        if not is_wanted:
            unwanted.add(number)
    return order, unwanted, moved, news


def _followers(fixed: list[int], returning: list[int]) -> dict[int, int]:
    """Tell behind which item each of those goes that come back: the nearest one that it was behind; -1 is none.

    Of two that come back behind the same item, the later one goes behind the earlier one.
    """
    followers: dict[int, int] = {}
    last = -1
    for number in returning:
        at = bisect_left(fixed, number)
        last = max(last, fixed[at - 1] if at else -1)
        followers[last] = number
        last = number
    return followers
