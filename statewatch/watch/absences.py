"""When sources were not there, as far as live pictures have shown it: the history keeps what was, not what was not."""

import bisect

from statewatch.watch.picture import Picture


class Absences:
    """What is known of when each source came and went. One thread tells it, any may ask."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.begun: float | None = None  # when the first picture was made: what is not in it went nobody knows when
        self._there: frozenset[str] = frozenset()
        self._turns: dict[str, list[float]] = {}  # when it came, when it went, when it came again …

    def see(self, picture: Picture) -> None:
        """Take notice of a live picture, which is not the one before anything was looked at."""
        went = {
            each.key: each.problem.since for each in picture.sources if each.problem is not None and each.problem.gone
        }
        there = frozenset(each.key for each in picture.sources) - went.keys()
        if there == self._there and self.begun is not None:
            return
        for key in there - self._there:
            self._turns.setdefault(key, []).append(picture.at)
        for key in self._there - there:
            turns = self._turns[key]
            turns.append(max(turns[-1], went.get(key, picture.at)))
        self._there = there
        if self.begun is None:
            self.begun = picture.at

    def since(self, key: str, moment: float) -> float | None:
        """Return since when a source was not there at *moment*; None where it was, or nobody knows."""
        turns = self._turns.get(key, [])
        count = bisect.bisect_right(turns, moment)
        if count:
            return turns[count - 1] if count % 2 == 0 else None
        return self.begun if self.begun is not None and moment >= self.begun else None
