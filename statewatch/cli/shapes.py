"""The shapes of JSON output: from views to objects with stable names. Pure; every time is ISO 8601 in UTC."""

from collections.abc import Sequence
from pathlib import Path

from statewatch.core.address import Address
from statewatch.core.lock import Holder
from statewatch.core.standing import Standing, role
from statewatch.core.stores.model import Checkpoint
from statewatch.documents import pointer
from statewatch.documents.diff import Change
from statewatch.documents.values import JSON
from statewatch.kinds import batch
from statewatch.kinds.batch import BatchView, Item
from statewatch.kinds.declared_view import Circuit, CircuitsView
from statewatch.kinds.hooks import CLOSED, HALF_OPEN, OPEN, Hook, HooksView
from statewatch.kinds.namespace import NamespaceView
from statewatch.kinds.times import iso
from statewatch.kinds.workflow import WorkflowView
from statewatch.watch.attention import Attention, stalled_for
from statewatch.watch.picture import ChangeLine, Source


def address_of(source: Source, *tokens: str) -> str:
    """Return the address of a place in a source."""
    return str(Address(source.key, tokens=tokens))


def hook_row(source: Source, hook: Hook, now: float) -> dict[str, JSON]:
    """Return one circuit."""
    left = hook.remaining(source.policy, now)
    return {
        "hook": hook.name,
        "state": hook.state,
        "failure_count": hook.failure_count,
        "consecutive_failures": hook.consecutive_failures,
        "consecutive_successes": hook.consecutive_successes,
        "last_error": hook.last_error,
        "disabled_at": iso(hook.disabled_at),
        "retry_after": iso(hook.retry_after),
        "retry_in_seconds": None if left is None else round(left, 3),
        "first_failure": iso(hook.first_failure),
        "last_failure": iso(hook.last_failure),
        "last_success": iso(hook.last_success),
        "source": source.key,
        "address": address_of(source, "hooks", hook.name),
    }


def circuit_row(source: Source, circuit: Hook | Circuit, now: float) -> dict[str, JSON]:
    """Return one circuit, whatever tool owns it; `until` is when it closes, or may be tested, by itself."""
    left = circuit.remaining(source.policy, now)
    return {
        "circuit": circuit.name,
        "kind": source.kind,
        "state": circuit.state,
        "known": circuit.known,
        "consecutive_failures": circuit.consecutive_failures,
        "reason": circuit.last_error,
        "since": iso(circuit.disabled_at),
        "until": None if left is None else iso(now + left),
        "can_reset": isinstance(circuit, Hook) or circuit.can_reset,
        "facts": {} if isinstance(circuit, Hook) else dict(circuit.facts),
        "source": source.key,
        "address": circuit_address(source, circuit),
    }


def circuit_address(source: Source, circuit: Hook | Circuit) -> str:
    """Return the address of the record of a circuit."""
    return address_of(source, *place_of(circuit))


def place_of(circuit: Hook | Circuit) -> tuple[str, ...]:
    """Return where in its document the record of a circuit stands."""
    return ("hooks", circuit.name) if isinstance(circuit, Hook) else tuple(map(str, circuit.place))


def circuit_counts(view: CircuitsView) -> dict[str, JSON]:
    """Return how many circuits are in which state; `other` are in a state that circuits do not have."""
    counts = {state: view.in_state(state) for state in (OPEN, HALF_OPEN, CLOSED)}
    return {"circuits": len(view.circuits), **counts, "other": len(view.circuits) - sum(counts.values())}


def hook_counts(view: HooksView) -> dict[str, JSON]:
    """Return how many circuits are in which state; `other` are in a state that hooks do not have."""
    counts = {state: view.count(state) for state in (OPEN, HALF_OPEN, CLOSED)}
    return {"hooks": len(view.hooks), **counts, "other": len(view.hooks) - sum(counts.values())}


def batch_counts(view: BatchView) -> dict[str, JSON]:
    """Return how many distinct items a batch has, and with which outcome."""
    outcomes = (batch.COMPLETED, batch.FAILED, batch.SKIPPED, batch.PENDING)
    return {"total": view.total, **{outcome: view.count(outcome) for outcome in outcomes}}


def batch_row(source: Source, view: BatchView, now: float) -> dict[str, JSON]:
    """Return one batch without its items."""
    eta = None if stalled_for(source, now) else source.pace.eta(view.count(batch.PENDING), now)
    return {
        "batch_id": view.batch_id,
        "status": view.status,
        **batch_counts(view),
        "current_index": view.current_index,
        "current": view.current.title if view.current else None,
        "created_at": iso(view.created_at),
        "updated_at": iso(view.updated_at),
        "seconds_per_item": source.pace.seconds_per_item,
        "eta": iso(eta) if view.is_running else None,
        "notes": list(view.notes),
        "source": source.key,
        "address": address_of(source),
    }


def item_row(item: Item) -> dict[str, JSON]:
    """Return one item of a batch."""
    return {
        "index": item.index,
        "title": item.title,
        "outcome": item.outcome,
        "tries": item.tries,
        "error": item.error,
        "at": iso(item.at),
        "issue": item.issue,
        "commit": item.commit,
        "duration_seconds": item.duration,
        "category": item.category,
        "interrupted": item.interrupted,
        "needs": list(item.needs),
        "git": [{"step": step.name, "success": step.well, "what": step.what} for step in item.git],
    }


def workflow_row(source: Source, view: WorkflowView, now: float) -> dict[str, JSON]:
    """Return one run in phases."""
    phases: list[JSON] = [
        {
            "phase": phase.name,
            "status": phase.status,
            "started_at": iso(phase.started_at),
            "completed_at": iso(phase.completed_at),
            "seconds": phase.seconds(now),
            "error": phase.error,
            "note": phase.note,
        }
        for phase in view.phases
    ]
    return {
        "run": view.workflow_id,
        "kind": source.kind,
        "status": view.status,
        "title": view.title,
        "error": view.error,
        "started_at": iso(view.started_at),
        "phases": phases,
        "facts": dict(view.facts),
        "notes": list(view.notes),
        "source": source.key,
        "address": address_of(source),
    }


def need_row(need: Attention) -> dict[str, JSON]:
    """Return one thing that needs attention."""
    view = need.source.view
    found = view.find(need.subject) if isinstance(view, HooksView | CircuitsView) and need.kind != "file" else None
    return {
        "kind": need.kind,
        "source": need.source.key,
        "subject": need.subject,
        "what": need.what,
        "since": iso(need.since),
        "address": circuit_address(need.source, found) if found is not None else address_of(need.source),
    }


def source_row(source: Source, now: float) -> dict[str, JSON]:
    """Return one source: what it is, how it stands, and why it cannot be read where that is so."""
    view = source.view
    counts: dict[str, JSON] | None = None
    if isinstance(view, HooksView):
        counts = hook_counts(view)
    elif isinstance(view, CircuitsView) and view.circuits:
        counts = circuit_counts(view.at(now))
    elif isinstance(view, BatchView):
        counts = batch_counts(view)
    return {
        "source": source.key,
        "label": source.label,
        "kind": source.kind,
        "status": status_word(source, now),
        "problem": source.problem.reason if source.problem else None,
        "changed_at": iso(source.changed_at),
        "size": source.revision.size if source.revision else None,
        "digest": source.revision.digest if source.revision else None,
        "counts": counts,
        "facts": dict(view.facts) if isinstance(view, CircuitsView | WorkflowView | NamespaceView) else {},
    }


def status_word(source: Source, now: float) -> str:
    """Return how a source stands, in a word of its kind: the worst state of a circuit, the status of a batch."""
    view = source.view
    if source.problem is not None:
        return "gone" if source.problem.gone else "unreadable"
    if isinstance(view, HooksView):
        return next((state for state in (OPEN, HALF_OPEN) if view.count(state)), CLOSED)
    if isinstance(view, CircuitsView):
        ranked = sorted(view.at(now).circuits, key=lambda circuit: circuit.rank)
        return ranked[0].state if ranked else view.status or "readable"
    if isinstance(view, BatchView | WorkflowView):
        return view.status
    return "readable"


def change_row(line: ChangeLine) -> dict[str, JSON]:
    """Return one change; `before` and `after` are the digests of the revisions."""
    return {
        "number": line.number,
        "at": iso(line.at),
        "source": line.source,
        "kind": line.kind,
        "subject": line.sentence.subject,
        "text": line.sentence.text,
        "tone": line.sentence.tone,
        "before": line.before,
        "after": line.after,
    }


def record_row(standing: Standing) -> dict[str, JSON]:
    """Return one record of the audit log, without what it takes to undo it, and what became of it."""
    record, by = standing.record, standing.by
    return {
        "id": record.id,
        "at": record.at,
        "user": record.user,
        "host": record.host,
        "pid": record.pid,
        "via": record.via,
        "action": record.action,
        "targets": list(record.targets),
        "why": record.why,
        "source": record.source,
        "before": record.before,
        "after": record.after,
        "copy": record.copy,
        "undoes": record.undoes,
        "group": record.group,
        "checkpoint": record.checkpoint,
        "outcome": record.outcome,
        "in_force": standing.in_force,
        "overwritten": by is not None and role(by) == "note",
        "taken_back_by": by.id if by is not None and role(by) != "note" else None,
    }


def lock_row(source: str, lock_file: Path | None, who: Holder, alive: bool | None) -> dict[str, JSON]:
    """Return one lock that is held; what its holder has not said is null, and so is the file of a server's lock."""
    return {
        "source": source,
        "user": who.user or None,
        "host": who.host or None,
        "pid": who.pid or None,
        "operation": who.operation or None,
        "since": who.since or None,
        "alive": alive,
        "lock_file": None if lock_file is None else str(lock_file),
    }


def checkpoint_row(source: str, checkpoint: Checkpoint) -> dict[str, JSON]:
    """Return one checkpoint; `foreign` is a backup that another tool left."""
    return {
        "name": checkpoint.name,
        "created_at": iso(checkpoint.created_at),
        "note": checkpoint.note,
        "by": checkpoint.by or None,
        "pinned": checkpoint.pinned,
        "foreign": checkpoint.foreign,
        "size": checkpoint.size,
        "digest": checkpoint.digest or None,
        "source": source,
        "address": str(Address(source, checkpoint.name)),
    }


def change_rows(changes: Sequence[Change]) -> list[JSON]:
    """Return the differences between two documents, in the order in which they can be applied."""
    return [
        {"op": change.op, "path": change.pointer, "before": change.before, "after": change.after}
        | ({} if change.source is None else {"from": pointer.render(change.source)})
        for change in changes
    ]


def state_word(standing: Standing) -> str:
    """Return what became of a record, in a word."""
    if standing.by is None:
        return standing.record.outcome
    return "overwritten" if role(standing.by) == "note" else "undone"
