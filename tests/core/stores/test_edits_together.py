"""Two people edit what is known of one checkpoint at the same moment: neither edit is lost."""

import threading
from pathlib import Path

import pytest

from statewatch.core.stores.urls import open_store, with_namespace

ROUNDS = 25


@pytest.mark.parametrize("engine", ["sqlite", "redis", "postgres"])
def test_a_note_and_a_pin_set_at_once_are_both_kept(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:{tmp_path}/state" if engine == "sqlite" else request.getfixturevalue(f"{engine}_url")
    lost = []
    with open_store(with_namespace(url, "wf-1")) as one, open_store(with_namespace(url, "wf-1")) as two:
        for number in range(ROUNDS):
            one.checkpoint("release", replacing=True)
            gate = threading.Barrier(2)

            def pin(gate: threading.Barrier = gate) -> None:
                gate.wait()
                two.edit_checkpoint("release", pinned=True)

            other = threading.Thread(target=pin)
            other.start()
            gate.wait()
            one.edit_checkpoint("release", note=f"round {number}")
            other.join()
            made = one.find_checkpoint("release")
            if (made.note, made.pinned) != (f"round {number}", True):
                lost.append(made)
    assert lost == []


def test_a_rename_and_a_note_at_once_end_in_one_checkpoint_or_a_clear_refusal(redis_url: str) -> None:
    with open_store(with_namespace(redis_url, "wf-1")) as one, open_store(with_namespace(redis_url, "wf-1")) as two:
        one.checkpoint("draft", note="first")
        assert two.find_checkpoint("draft").note == "first"
        one.edit_checkpoint("draft", new_name="release")
        two.edit_checkpoint("release", note="second")
        [made] = one.checkpoints()
        assert (made.name, made.note) == ("release", "second")
