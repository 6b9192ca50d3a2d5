"""What two sequences have in common: longest increasing and longest common subsequences."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence

_MOST_EDITS = 200
"""Edits up to which the exact search goes: it costs length x edits, and edits squared in memory."""


def increasing(numbers: Sequence[int]) -> list[int]:
    """Return the positions of a longest strictly increasing subsequence of *numbers*, which are all different."""
    ends: list[int] = []  # of the best subsequence of each length: its last number …
    places: list[int] = []  # … and where that is
    before: list[int] = []
    for place, number in enumerate(numbers):
        if not ends or number > ends[-1]:
            before.append(places[-1] if places else -1)
            ends.append(number)
            places.append(place)
        else:
            at = bisect_left(ends, number)
            before.append(places[at - 1] if at else -1)
            ends[at] = number
            places[at] = place
    chain: list[int] = []
    place = places[-1] if places else -1
    while place >= 0:
        chain.append(place)
        place = before[place]
    chain.reverse()
    return chain


def common(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return the pairs of positions of a long common subsequence: the longest, unless very many items differ."""
    head = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        head += 1
    most = min(len(left), len(right)) - head
    tail = 0
    while tail < most and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    end, other_end = len(left) - tail, len(right) - tail
    pairs = [(place, place) for place in range(head)]
    pairs += [(i + head, j + head) for i, j in _between(left[head:end], right[head:other_end])]
    pairs += [(end + place, other_end + place) for place in range(tail)]
    return pairs


def _between(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    if not left or not right:
        return []
    anchors = _unique(left, right)
    if anchors is not None and len(anchors) == min(len(left), len(right)):
        return anchors
    exact = _shortest(left, right)
    if exact is not None:
        return exact
    pairs: list[tuple[int, int]] = []
    i = j = 0
    for p, q in [*(anchors or _anchors(left, right)), (len(left), len(right))]:
        pairs += [(i + x, j + y) for x, y in _shortest(left[i:p], right[j:q]) or []]
        if p < len(left):
            pairs.append((p, q))
        i, j = p + 1, q + 1
    return pairs


def _unique(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]] | None:
    """Return the longest common subsequence of sequences in which nothing occurs twice; None for others."""
    where = dict(zip(left, range(len(left)), strict=True))
    if len(where) != len(left) or len(set(right)) != len(right):
        return None
    return _rising([(where[item], j) for j, item in enumerate(right) if item in where])


def _anchors(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return the same for those items only that occur once on both sides."""
    here, there = Counter(left), Counter(right)
    once = {item for item, count in here.items() if count == 1 and there[item] == 1}
    where = {item: i for i, item in enumerate(left) if item in once}
    return _rising([(where[item], j) for j, item in enumerate(right) if item in once])


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [pairs[place] for place in increasing([i for i, _ in pairs])]


def _shortest(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]] | None:
    """Return the longest common subsequence (Myers 1986), or None when that would take too many edits to find."""
    n, m = len(left), len(right)
    reach = {1: 0}  # by diagonal: how far into `left` one gets with so many edits
    history: list[dict[int, int]] = []
    for edits in range(min(n + m, _MOST_EDITS) + 1):
        history.append({k: reach[k] for k in range(-edits - 1, edits + 2) if k in reach})
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            y = x - k
            while x < n and y < m and left[x] == right[y]:
                x += 1
                y += 1
            reach[k] = x
            if x >= n and y >= m:
                return _traced(history, n, m)
    return None


def _traced(history: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """Walk back from the end, and collect the diagonal steps."""
    pairs: list[tuple[int, int]] = []
    for edits in range(len(history) - 1, -1, -1):
        reach, k = history[edits], x - y
        down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
        came_from = k + 1 if down else k - 1
        start = reach[came_from]
        begin = (start, start - came_from) if edits else (0, 0)
        landed = (start if down else start + 1) if edits else 0
        while x > landed:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = begin
    pairs.reverse()
    return pairs
