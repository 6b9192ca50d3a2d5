"""Chain: the migrations of a program's schema, with errors of the kind that its other calls raise."""

from statewatch.core.errors import StatewatchError
from statewatch.documents import schema
from statewatch.documents.schema import SchemaError


class ChainError(SchemaError, StatewatchError):
    """A chain of migrations that makes no sense: a StateException, and a ValueError."""


class Chain(schema.Chain):
    """The way to the current version of a schema, one step after the other; made as `documents.schema.Chain` is.

    Raises StateException for a text that is no version, for a step that does not lead to a later one or leads beyond
    the current one, and for two steps from one version. Its own `upgrade` raises SchemaError, which is a ValueError;
    StateManager makes a StateException of that too.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        try:
            super().__post_init__()
        except SchemaError as error:
            raise ChainError(str(error)) from None
