"""Bringing a namespace to the schema version that a program knows: as an action, with a checkpoint first."""

from statewatch.core.actions import Action, Outcome
from statewatch.core.restoring import restore
from statewatch.core.stores.base import Store
from statewatch.documents.diff import diff
from statewatch.documents.schema import Chain, SchemaError
from statewatch.documents.values import JSON
from statewatch.kinds import base
from statewatch.kinds.base import Change


def upgrade_action(store: Store, chain: Chain, *, via: str = "library") -> Action:
    """Return the action that writes the document of *store* at the current version of *chain*."""

    def transform(document: JSON, now: float) -> Change:  # noqa: ARG001 - migrations know no time
        try:
            result = chain.upgrade(document)
        except SchemaError as error:
            raise base.RefusedError(str(error)) from None
        steps = tuple(f"{before} to {after}" for before, after in result.steps)
        places = tuple((change.path,) for change in diff(document, result.document))
        return Change("upgrade", steps or (chain.current,), result.document, places)

    return Action(store, transform, "upgrade", f"schema version {chain.current}", via, exact=True)


def upgrade(store: Store, chain: Chain, *, via: str = "library") -> Outcome:
    """Write the document at the current version, after a checkpoint of the old one; nothing where it is current.

    Raises RefusedError when there is no way to the current version, or the document is of a newer one.
    """
    return restore(upgrade_action(store, chain, via=via), settle_for=0).outcome
