"""When circuits open, how long they cool down and when they close again: for all hooks, or for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from statewatch.kinds.words import items, mapping, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statewatch.documents.values import JSON


class Policy(NamedTuple):
    """When circuits open, how long they cool down and when they close again. Times in seconds.

    `max_probes` calls at once test a half-open circuit, each for at most `probe_lease`; then its turn passes on. With a
    `backoff` above 1 each further opening in a row cools down so many times longer, up to `max_cooldown`. Error texts
    are kept up to `error_length` characters. `overrides` are whole policies for single hooks; see `of`.
    """

    failure_threshold: int = 3
    cooldown: float = 300
    success_threshold: int = 2
    exclude: tuple[str, ...] = ()
    enabled: bool = True
    max_probes: int = 1
    probe_lease: float = 60
    backoff: float = 1.0
    max_cooldown: float = 86_400
    error_length: int = 2_000
    overrides: tuple[tuple[str, Policy], ...] = ()

    def excludes(self, hook: str) -> str | None:
        """Return the rule by which *hook* always runs, whatever its state, or None."""
        return next((rule for rule in self.exclude if rule in hook), None)

    def of(self, hook: str) -> Policy:
        """Return the policy for *hook*: its own where it has one, else this."""
        return next((own for name, own in self.overrides if name == hook), self) if self.overrides else self

    def cooldown_after(self, openings: int) -> float:
        """Return how long a circuit cools down that has opened *openings* times in a row."""
        if self.backoff <= 1 or openings <= 1:
            return self.cooldown
        most = max(self.cooldown, self.max_cooldown)
        times = min(openings - 1, 1_000)
        try:
            return min(self.cooldown * self.backoff**times, most)
        except OverflowError:
            return most


DEFAULTS: Final = Policy()


class Limit(NamedTuple):
    """The bounds of a setting, and the field of a policy that it sets."""

    field: str
    low: int
    high: int
    whole: bool = True

    def fits(self, value: JSON) -> float | None:
        """Return *value* as the number it is where it is within bounds, else None."""
        found: float | None = number(value)
        if found is None and not self.whole:
            found = _fraction(value)
        return found if found is not None and self.low <= found <= self.high else None

    def __str__(self) -> str:
        """Say what is within bounds."""
        return f"a {'whole ' if self.whole else ''}number from {self.low} to {self.high}"


SETTINGS: Final[dict[str, Limit]] = {
    "failure_threshold": Limit("failure_threshold", 1, 100),
    "cooldown_seconds": Limit("cooldown", 0, 86_400),
    "success_threshold": Limit("success_threshold", 1, 100),
    "max_probes": Limit("max_probes", 1, 100),
    "probe_lease_seconds": Limit("probe_lease", 1, 86_400),
    "backoff": Limit("backoff", 1, 100, whole=False),
    "max_cooldown_seconds": Limit("max_cooldown", 0, 31_536_000),
    "error_length": Limit("error_length", 100, 1_000_000),
}
"""The numbers that `guardrails.yaml` sets below `circuit_breaker`; the first three are those its own tool knows."""

SWITCHES: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
"""The words for true and false in `GUARDRAILS_*` variables."""


def policy_from(settings: JSON, environment: Mapping[str, str]) -> Policy:
    """Return the policy that `guardrails.yaml` (already parsed) and `GUARDRAILS_*` variables set.

    What is missing or out of range falls back to the defaults, as in the tool that reads the file.
    """
    breaker = mapping(mapping(settings).get("circuit_breaker"))
    variables: dict[str, JSON] = {
        key: environment[variable]
        for key in (*SETTINGS, "enabled")
        if (variable := f"GUARDRAILS_CIRCUIT_BREAKER_{key.upper()}") in environment
    }
    base = DEFAULTS._replace(**_numbers({**breaker, **variables}))
    base = base._replace(
        exclude=tuple(rule for rule in items(breaker.get("exclude")) if isinstance(rule, str)),
        enabled=switch(variables.get("enabled", breaker.get("enabled"))) is not False,
    )
    own = mapping(breaker.get("hooks"))
    return base._replace(overrides=tuple((hook, base._replace(**_numbers(mapping(own[hook])))) for hook in own))


def switch(value: JSON) -> bool | None:
    """Return the truth value that a setting means, None where it means none."""
    return value if isinstance(value, bool) else SWITCHES.get(str(value).strip().lower())


def _numbers(values: Mapping[str, JSON]) -> dict[str, Any]:
    """Return the fields of a policy that *values* set, without those that are out of bounds."""
    found = {limit.field: limit.fits(values.get(key)) for key, limit in SETTINGS.items()}
    return {field: value for field, value in found.items() if value is not None}


def _fraction(value: JSON) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
