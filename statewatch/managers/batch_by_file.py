"""The functions on batch state files as methods, for programs that call them so."""

from collections.abc import Sequence
from pathlib import Path

from statewatch.managers import batch_functions as functions
from statewatch.managers.batch_records import BatchState


class ByFile:
    """The functions on the batch state in `state_file`; see `statewatch.managers.batch_functions`."""

    state_file: Path

    def create_batch_state(
        self, features: Sequence[str], batch_id: str | None = None, issue_numbers: Sequence[int] | None = None
    ) -> BatchState:
        """Return a new batch, which is not saved."""
        return functions.create_batch_state(
            features=features, batch_id=batch_id, issue_numbers=issue_numbers, state_file=str(self.state_file)
        )

    def create_batch(
        self,
        features: Sequence[str],
        features_file: str | None = None,
        batch_id: str | None = None,
        issue_numbers: Sequence[int] | None = None,
    ) -> BatchState:
        """Return a new batch, which is not saved; the items may be from *features_file*, which is taken down only."""
        return functions.create_batch_state(
            features=features,
            features_file=features_file,
            batch_id=batch_id,
            issue_numbers=issue_numbers,
            state_file=str(self.state_file),
        )

    def load_batch_state(self) -> BatchState:
        """Return the batch in the file."""
        return functions.load_batch_state(self.state_file)

    def save_batch_state(self, state: BatchState) -> None:
        """Save a batch, over what others have changed since it was loaded."""
        functions.save_batch_state(self.state_file, state)

    def update_batch_progress(self, feature_index: int, status: str, tokens_consumed: int = 0) -> None:
        """Record that an item is `completed` or has `failed`, and count the tokens of context that it took."""
        functions.update_batch_progress(self.state_file, feature_index, status, tokens_consumed)

    def record_auto_clear_event(self, feature_index: int, tokens_before_clear: int) -> None:
        """Record that the context was cleared at an item."""
        functions.record_auto_clear_event(self.state_file, feature_index, tokens_before_clear)

    def should_auto_clear(self) -> bool:
        """Tell whether the context is to be cleared."""
        return functions.should_auto_clear(self.load_batch_state())

    def get_next_pending_feature(self) -> str | None:
        """Return the next item, without taking it."""
        return functions.get_next_pending_feature(self.load_batch_state())

    def cleanup_batch_state(self) -> None:
        """Delete the file; a safety copy of it is kept."""
        functions.cleanup_batch_state(self.state_file)

    load_state = load_batch_state
    save_state = save_batch_state
    cleanup_state = cleanup_batch_state
