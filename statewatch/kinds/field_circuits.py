"""The circuits of other tools in the field, a few declarative lines each.

Those of agent batches and loops can be reset as their own tools do it; what other services keep is shown only.
"""

import re

from statewatch.kinds import field_documents
from statewatch.kinds.declaration import NOW, Declaration, Fact, Limit
from statewatch.kinds.declared import DeclaredKind
from statewatch.kinds.hooks import CLOSED, OPEN

_FLAG = {"true": OPEN, "false": CLOSED}
_DAY = 86_400.0

RETRY = Declaration(
    name="retry",
    noun="batch retry state",
    files=("*_retry_state.json",),
    has=("/retry_counts",),
    label="/batch_id",
    state="/circuit_breaker_open",
    words=_FLAG,
    streak=("/consecutive_failures",),
    total="/global_retry_count",
    since=("/updated_at",),
    facts=(
        Fact("failures in a row", "/consecutive_failures", of=5),
        Fact("retries in all", "/global_retry_count", of=50),
        Fact("items retried", "/retry_counts"),
    ),
    reset={"/circuit_breaker_open": False, "/consecutive_failures": 0},
    stamps=("/updated_at",),
    when_damaged="its tool begins anew then, as if nothing had been retried",
)

LOOP = Declaration(
    name="loop",
    noun="agent loop state",
    files=("*_loop_state.json", "ralph-*_checkpoint.json"),
    has=("/current_iteration", "/circuit_breaker_open"),
    label="/session_id",
    state="/circuit_breaker_open",
    words=_FLAG,
    streak=("/consecutive_failures",),
    since=("/retry_history/-1/timestamp", "/updated_at"),
    reason=("/retry_history/-1/error_message",),
    facts=(
        Fact("failures in a row", "/consecutive_failures", of=3),
        Fact("iteration", "/current_iteration", of=5),
        Fact("attempts", "/total_attempts"),
        Fact("tokens used", "/tokens_used", of="/token_limit"),
        Fact("failures remembered", "/retry_history"),
        Fact("batch", "/batch_id"),
        Fact("item", "/current_feature_index", of="/total_features"),
        Fact("checkpoint made", "/checkpoint_created_at"),
    ),
    reset={"/circuit_breaker_open": False, "/consecutive_failures": 0},
    stamps=("/updated_at",),
    when_damaged="its tool goes back to the .bak beside it then, where there is one",
    identities={"/retry_history": ("iteration", "timestamp"), "/failed_features": "feature_index"},
)

RALPH = Declaration(
    name="ralph",
    noun="loop breaker",
    files=(".ralph/.circuit_breaker_state",),
    has=("/consecutive_no_progress",),
    label="ralph",
    state="/state",
    streak=("/consecutive_no_progress", "/consecutive_same_error", "/consecutive_permission_denials"),
    since=("/opened_at", "/last_change"),
    reason=("/reason",),
    facts=(
        Fact("loops without progress", "/consecutive_no_progress"),
        Fact("same error in a row", "/consecutive_same_error"),
        Fact("permission denials", "/consecutive_permission_denials"),
        Fact("loop", "/current_loop"),
        Fact("last progress in loop", "/last_progress_loop"),
        Fact("times opened", "/total_opens"),
        Fact("last change", "/last_change"),
    ),
    reset={
        "/state": "CLOSED",
        "/consecutive_no_progress": 0,
        "/consecutive_same_error": 0,
        "/consecutive_permission_denials": 0,
    },
    remarks={"/reason": "Manual reset via statewatch"},
    stamps=("/last_change",),
)

RALPH_LOG = Declaration(
    name="ralph log",
    noun="history of a loop breaker",
    files=(".ralph/.circuit_breaker_history",),
    promises=False,  # it is an empty list most of the time, which could be anything
    has=("/-1/from_state", "/-1/to_state"),
    circuits=None,
    log="{from_state} → {to_state} in loop {loop}: {reason}",
    logged_at="/timestamp",
    identities={"": ("timestamp", "loop")},
)

RALPH_RUN = Declaration(
    name="ralph run",
    noun="status of a loop",
    files=(".ralph/status.json",),
    promises=False,
    has=("/loop_count", "/calls_made_this_hour"),
    circuits=None,
    status="/status",
    facts=(
        Fact("loop", "/loop_count"),
        Fact("calls this hour", "/calls_made_this_hour", of="/max_calls_per_hour"),
        Fact("next reset", "/next_reset"),
        Fact("last action", "/last_action"),
        Fact("exit reason", "/exit_reason"),
    ),
    tolerates=True,
)

DRAIN = Declaration(
    name="drain",
    noun="drain breaker",
    files=("drain_breaker.json",),
    has=("/consecutive_failures", "/recent_failures"),
    label="drain",
    limits=(
        Limit("/consecutive_failures", 2, "failures in a row"),
        Limit("/recent_failures", 3, "failures in a day", within=_DAY),
    ),
    streak=("/consecutive_failures",),
    since=("/recent_failures/-1",),
    facts=(
        Fact("failures in a row", "/consecutive_failures", of=2),
        Fact("recent failures", "/recent_failures", of=3),
        Fact("last failure", "/recent_failures/-1"),
    ),
    reset={"/consecutive_failures": 0, "/recent_failures": []},
    note="it only counts; what pauses the drain is the flag beside it, the circuit 'drain pause'",
    when_damaged="its tool takes it for closed then",
)

PAUSE = Declaration(
    name="pause",
    noun="pause flag",
    files=("drain_paused.flag",),
    has=("/until_iso",),
    label="drain pause",
    until="/until_iso",
    since=("/triggered_at",),
    reason=("/reason",),
    facts=(Fact("paused by", "/triggered_by"), Fact("paused at", "/triggered_at"), Fact("until", "/until_iso")),
    reset={"/until_iso": NOW},
    when_damaged="its tool takes that for not paused",
    when_linked="its tool takes that for paused, whatever it holds",
)

BUDGET = Declaration(
    name="budget",
    noun="drain budget",
    files=("drain_budget.json",),
    has=("/date_utc", "/today_drains"),
    label="drain budget",
    limits=(Limit("/today_drains", 10, "drains today"), Limit("/today_wall_seconds", 14_400, "seconds today")),
    day="/date_utc",
    facts=(
        Fact("day (UTC)", "/date_utc"),
        Fact("drains", "/today_drains", of=10),
        Fact("seconds", "/today_wall_seconds", of=14_400),
    ),
    reset={"/today_drains": 0, "/today_wall_seconds": 0},
    when_damaged="its tool takes the budget for used up then",
)

SERVICES = Declaration(
    name="services",
    noun="list of service breakers",
    files=("*breaker*.json", "*circuit*.json"),
    promises=False,
    has=("/services/*/state",),
    circuits="/services/*",
    state="/state",
    streak=("/failure_count",),
    since=("/opened_at", "/last_failure_time"),
    reason=("/error_type",),
    facts=(
        Fact("failures", "/failure_count"),
        Fact("last failure", "/last_failure_time"),
        Fact("error", "/error_type"),
    ),
)

GROUPS = Declaration(
    name="groups",
    noun="list of grouped breakers",
    every=("/*/*/failures", "/*/*/opened_at"),
    circuits="/*/*",
    state="/opened_at",
    words={"null": CLOSED, "*": OPEN},
    streak=("/failures",),
    since=("/opened_at",),
    facts=(Fact("failures", "/failures"), Fact("opened at", "/opened_at")),
)

SWITCH = Declaration(
    name="switch",
    noun="breaker that is thrown by hand",
    has=("/is_active", "/manual_reset_required"),
    label="emergency breaker",
    state="/is_active",
    words=_FLAG,
    since=("/activated_at", "/activation_time", "/activation_timestamp"),
    reason=("/activation_reason",),
    facts=(
        Fact("must be reset by hand", "/manual_reset_required"),
        Fact("times reset", "/reset_count"),
        Fact("last reset", "/last_reset/timestamp"),
    ),
)

PAUSED = Declaration(
    name="paused",
    noun="pause switch",
    has=("/is_paused",),
    label="pause",
    state="/is_paused",
    words=_FLAG,
    since=("/paused_at", "/since"),
    reason=("/reason", "/pause_reason"),
)

SUSPENDED = Declaration(
    name="suspended",
    noun="list of suspensions",
    every=("/*/suspended",),
    circuits="/*",
    state="/suspended",
    words=_FLAG,
    since=("/since",),
    reason=("/reason",),
)

KINDS: tuple[DeclaredKind, ...] = tuple(
    map(DeclaredKind, (RETRY, LOOP, RALPH, RALPH_LOG, RALPH_RUN, DRAIN, PAUSE, BUDGET))
)
"""The kinds with a form of their own: they are asked before the general ones."""

GENERAL: tuple[DeclaredKind, ...] = tuple(map(DeclaredKind, (SERVICES, GROUPS, SWITCH, PAUSED, SUSPENDED)))
"""Kinds that are known by little: they are asked when no other kind knows the document."""

WITHOUT: tuple[DeclaredKind, ...] = tuple(map(DeclaredKind, field_documents.DOCUMENTS))
"""Kinds without circuits: they are asked before those that have only some of what these have."""

NAMED: tuple[DeclaredKind, ...] = tuple(map(DeclaredKind, field_documents.NAMED))
"""Kinds that are known by the names of their files only."""

_BY_NAME = {kind.name: kind for kind in (*KINDS, *GENERAL, *NAMED, *WITHOUT)}
_WITH_FILES = [kind for kind in _BY_NAME.values() if kind.declaration.files]
_NAMES = re.compile("|".join(f"({kind.declaration.names})" for kind in _WITH_FILES))


def with_circuits() -> tuple[str, ...]:
    """Return the names of the kinds that have circuits; the others tell more about one of them."""
    return tuple(name for name, kind in _BY_NAME.items() if kind.declaration.circuits is not None)


def declared(name: str) -> DeclaredKind | None:
    """Return the declared kind of that name, None where there is none."""
    return _BY_NAME.get(name)


def expected(directory: str, name: str) -> DeclaredKind | None:
    """Return the kind that a file of that name, in a directory of that name, goes by."""
    found = _NAMES.fullmatch(f"{directory}/{name}")
    return None if found is None else _WITH_FILES[(found.lastindex or 0) - 1]
