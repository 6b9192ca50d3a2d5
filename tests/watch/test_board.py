"""The picture as observations make it: what is shown, and the lines that say what happened."""

import json
from dataclasses import replace

from statewatch.documents.values import JSON
from statewatch.kinds.hooks import HooksView, Policy
from statewatch.watch.attention import attention
from statewatch.watch.board import DROPPED_AFTER, MOST_CHANGES, Board, Observation, advance, pass_time, with_policies
from statewatch.watch.discovery import Candidate, Expectation
from statewatch.watch.picture import Picture, Revision, Watching

HOOK_FILE = Candidate("/p/hook_state.json", "hook_state.json", Expectation("hooks", plainly=True))
BATCH_FILE = Candidate("/p/batch_state.json", "batch_state.json", Expectation("batch", plainly=True))
MAYBE_FILE = Candidate("/p/my_hooks.json", "my_hooks.json", Expectation("hooks", plainly=False))
ASKED_FOR = Candidate("/p/x.json", "x.json", explicit=True)


def circuits(**states: str) -> JSON:
    return {"hooks": {name: {"state": state, "consecutive_failures": 3} for name, state in states.items()}}


def run(done: int, status: str = "in_progress") -> JSON:
    features: list[JSON] = [f"Item {index}" for index in range(5)]
    completed: list[JSON] = list(range(done))
    return {"batch_id": "b", "features": features, "completed_features": completed, "status": status}


def good(candidate: Candidate, at: float, document: JSON) -> Observation:
    text = json.dumps(document)
    return Observation(candidate, at, Revision(text, at, at, len(text), document))


def bad(candidate: Candidate, at: float, reason: str = "not JSON at line 1 column 1: x") -> Observation:
    return Observation(candidate, at, reason=reason)


def gone(candidate: Candidate, at: float) -> Observation:
    return Observation(candidate, at, reason="there is no such file", gone=True)


def unset(_path: str) -> Policy:
    return Policy()


def after(*seen: Observation) -> Board:
    board = Board()
    for each in seen:
        board = advance(board, each, unset)
    return board


def shown(board: Board) -> Picture:
    return board.picture(0.0, Watching())


def lines(board: Board) -> list[str]:
    return [f"{line.sentence.subject} {line.sentence.text}".strip() for line in reversed(board.changes)]


def test_the_first_sight_of_a_source_is_no_change() -> None:
    board = after(good(HOOK_FILE, 1, circuits(lint="open")))
    (source,) = shown(board).sources
    assert (source.key, source.label, source.kind) == ("/p/hook_state.json", "hook_state.json", "hooks")
    assert isinstance(source.view, HooksView)
    assert board.changes == ()


def test_a_source_that_comes_later_has_appeared() -> None:
    late = replace(HOOK_FILE, at_start=False)
    assert lines(after(good(late, 1, circuits(lint="open")))) == ["appeared"]
    assert lines(after(gone(ASKED_FOR, 1), good(ASKED_FOR, 2, {"a": 1}))) == ["appeared"]


def test_what_changed_is_said_newest_first_with_the_revisions() -> None:
    board = after(good(BATCH_FILE, 1, run(0)), good(BATCH_FILE, 2, run(1)), good(BATCH_FILE, 3, run(5, "completed")))
    assert lines(board) == ['b completed 0 "Item 0"', "b completed 4 items, 1 to 4", "b in_progress → completed"]
    newest = board.changes[0]
    assert (newest.number, newest.at, newest.label, newest.kind) == (3, 3, "batch_state.json", "batch")
    assert (newest.before, newest.after) == (json.dumps(run(1)), json.dumps(run(5, "completed")))


def test_the_same_content_is_no_change() -> None:
    board = after(good(BATCH_FILE, 1, run(0)))
    assert advance(board, good(BATCH_FILE, 9, run(0)), unset) is board


def test_a_broken_file_keeps_the_last_good_view_until_it_is_good_again() -> None:
    board = after(good(BATCH_FILE, 1, run(2)), bad(BATCH_FILE, 5))
    (source,) = shown(board).sources
    assert source.problem is not None
    assert (source.problem.reason, source.problem.since) == ("not JSON at line 1 column 1: x", 5)
    assert source.revision is not None
    assert source.revision.document == run(2)
    assert source.view is not None
    mended = advance(board, good(BATCH_FILE, 7, run(3)), unset)
    assert shown(mended).sources[0].problem is None
    assert lines(mended) == ["not JSON at line 1 column 1: x", "can be read again", 'b completed 2 "Item 2"']


def test_a_problem_that_stays_is_told_once() -> None:
    board = after(bad(HOOK_FILE, 1), bad(HOOK_FILE, 2), bad(HOOK_FILE, 3, "another reason"))
    problem = shown(board).sources[0].problem
    assert problem is not None
    assert (problem.reason, problem.since) == ("another reason", 1)


def test_a_deleted_file_is_shown_for_a_while_and_then_dropped() -> None:
    board = after(good(BATCH_FILE, 1, run(5, "completed")), gone(BATCH_FILE, 10))
    problem = shown(board).sources[0].problem
    assert problem is not None
    assert (problem.reason, problem.gone) == ("deleted", True)
    assert lines(board) == ["deleted"]
    assert pass_time(board, 10, 10 + DROPPED_AFTER) is board
    assert shown(pass_time(board, 10, 10.1 + DROPPED_AFTER)).sources == ()


def test_a_finished_batch_that_was_tidied_up_needs_nobody() -> None:
    finished = after(good(BATCH_FILE, 1, run(5, "completed")), gone(BATCH_FILE, 10))
    assert attention(shown(finished), 11) == ()
    running = after(good(BATCH_FILE, 1, run(2)), gone(BATCH_FILE, 10))
    assert [need.kind for need in attention(shown(running), 11)] == ["file"]


def test_a_file_that_comes_back_is_compared_with_what_it_was() -> None:
    board = after(good(BATCH_FILE, 1, run(1)), gone(BATCH_FILE, 2), good(BATCH_FILE, 3, run(2)))
    assert lines(board) == ["deleted", "is there again", 'b completed 1 "Item 1"']


def test_a_file_asked_for_by_name_stays_however_long_it_is_missing() -> None:
    board = after(gone(ASKED_FOR, 1))
    assert shown(pass_time(board, 1, 10_000)).sources[0].problem is not None
    assert board.changes == ()


def test_a_candidate_that_is_missing_or_of_no_known_kind_is_no_source() -> None:
    assert shown(after(gone(MAYBE_FILE, 1))).sources == ()
    assert shown(after(good(MAYBE_FILE, 1, {"hooks": {}}))).sources == ()
    assert shown(after(bad(MAYBE_FILE, 1), good(MAYBE_FILE, 2, {"hooks": {}}))).sources == ()


def test_a_hook_state_that_turns_into_a_list_is_a_problem() -> None:
    board = after(good(HOOK_FILE, 1, circuits(lint="open")), good(HOOK_FILE, 2, []))
    (source,) = shown(board).sources
    assert source.problem is not None
    assert source.problem.reason == "not a hook state: expected an object, found a list"
    assert isinstance(source.view, HooksView)


def test_text_is_harmless_in_lines_and_problems_and_raw_in_views() -> None:
    name = "a\x9b\x07[/b]"
    board = after(good(HOOK_FILE, 1, circuits(**{name: "closed"})), good(HOOK_FILE, 2, circuits(**{name: "open"})))
    assert board.changes[0].sentence.subject == "a\\u009b␇[/b]"
    view = shown(board).sources[0].view
    assert isinstance(view, HooksView)
    assert view.hooks[0].name == name
    problem = shown(after(bad(HOOK_FILE, 1, "bad \x07"))).sources[0].problem
    assert problem is not None
    assert problem.reason == "bad ␇"


def test_long_text_and_many_changes_are_bounded() -> None:
    many = circuits(**{f"h{number}": "closed" for number in range(500)})
    opened = circuits(**{f"h{number}": "open" for number in range(500)})
    board = after(good(HOOK_FILE, 0, many))
    for at in range(1, 40):
        board = advance(board, good(HOOK_FILE, at, opened if at % 2 else many), unset)
    assert len(board.changes) == MOST_CHANGES
    assert board.changes[0].sentence.text == "450 more changes in this revision"
    assert board.changes[0].number == board.lines == 39 * 51
    long = after(good(HOOK_FILE, 1, circuits(x="closed")), good(HOOK_FILE, 2, circuits(**{"y" * 10_000: "open"})))
    assert max(len(line.sentence.subject) for line in long.changes) <= 200


def test_a_rewrite_in_another_layout_is_told() -> None:
    first, second = good(BATCH_FILE, 1, run(1)), good(BATCH_FILE, 2, run(1))
    assert second.revision is not None
    second = replace(second, revision=replace(second.revision, digest="other"))
    assert lines(after(first, second)) == ["laid out differently"]


def test_policies_reach_hook_states_and_can_change() -> None:
    strict, mild = Policy(cooldown=60), Policy(cooldown=600)
    board = advance(Board(), good(HOOK_FILE, 1, circuits(a="open")), lambda _: strict)
    board = advance(board, good(BATCH_FILE, 1, run(1)), lambda _: strict)
    assert {source.kind: source.policy for source in shown(board).sources} == {"hooks": strict, "batch": Policy()}
    changed = with_policies(board, lambda _: mild)
    assert shown(changed).sources[1].policy == mild
    assert with_policies(changed, lambda _: mild) is changed


def test_the_trend_of_a_running_batch_moves_on_while_nothing_happens() -> None:
    board = after(*[good(BATCH_FILE, float(10 * n), run(n)) for n in range(5)])
    pace = shown(board).sources[0].pace
    assert (pace.seconds_per_item, pace.trend_interval, sum(pace.trend)) == (10, 60, 4)
    assert pass_time(board, 40, 50) is board
    later = shown(pass_time(board, 50, 70)).sources[0].pace
    assert later.trend == (*pace.trend[1:], 0)


def test_sources_come_in_the_order_of_their_labels() -> None:
    home = replace(HOOK_FILE, path="/h/hook_state.json", label="~/.claude/hook_state.json")
    board = after(good(home, 1, circuits(a="open")), good(BATCH_FILE, 1, run(0)))
    assert [source.label for source in shown(board).sources] == ["batch_state.json", "~/.claude/hook_state.json"]
