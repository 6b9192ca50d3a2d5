"""Telling the history of circuits what operators did to them, wherever a history is kept."""

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

from statewatch.core import rotating
from statewatch.core.audit import Record
from statewatch.core.beside import history_file, owner_of
from statewatch.core.circuit_places import EXTRAS, add_events, told_in
from statewatch.core.errors import StatewatchError
from statewatch.core.lock import locked
from statewatch.core.stores.base import Store
from statewatch.core.stores.file import FileStore
from statewatch.documents.values import JSON
from statewatch.kinds import circuit_history
from statewatch.kinds.circuit_calls import Event
from statewatch.kinds.words import mapping


def tell(store: Store, before: JSON, after: JSON, record: Record) -> None:
    """Tell it of an action on *store*, which is a hook state or what is kept beside one.

    Raises nothing: what was done is done, and is in the audit log.
    """
    said: Event = {"at": record.at, "action": record.action, "by": record.user, "why": record.why, "id": record.id}
    with contextlib.suppress(OSError, StatewatchError):
        if isinstance(store, FileStore) and not store.namespace:
            _tell_in_file(store, before, after, said)
        else:
            modes = circuit_history.of_modes(mapping(before).get(EXTRAS), mapping(after).get(EXTRAS), said)
            events = [*circuit_history.of_action(before, after, said), *modes]
            known = told_in(mapping(after))
            _tell_in_store(store, [event for event in events if event["event"] == "mode" or event["hook"] in known])


def _tell_in_file(store: FileStore, before: JSON, after: JSON, said: Event) -> None:
    file = Path(store.source)
    owner = owner_of(file)
    log = history_file(owner or file)
    if owner is not None:
        events = circuit_history.of_modes(before, after, said)
    else:
        events = circuit_history.of_action(before, after, said) if log.exists() else []
    if events:
        with locked(owner or file, "tell the history of circuits"):
            rotating.add_alone(log, b"\n".join(json.dumps(event, ensure_ascii=True).encode() for event in events))


def _tell_in_store(store: Store, events: Iterable[Event]) -> None:
    told = list(events)
    if told:
        store.transact(lambda transaction: add_events(transaction, told), "tell the history of circuits")
