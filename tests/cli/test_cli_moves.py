"""An item that went to another place of its list is shown as that, and not as gone and come."""

from statewatch.cli.ask import difference_lines
from statewatch.cli.shapes import change_rows
from statewatch.documents.diff import diff
from statewatch.documents.values import JSON
from statewatch.kinds.plain import PlainKind

BEFORE: JSON = {"queue": ["lint", "test", "deploy"]}
AFTER: JSON = {"queue": ["deploy", "lint", "test"]}


def test_a_question_shows_from_where_an_item_moved() -> None:
    assert difference_lines(diff(BEFORE, AFTER)) == ['> /queue/0: "deploy", moved from /queue/2']


def test_json_output_has_the_place_it_came_from() -> None:
    row: JSON = {"op": "move", "path": "/queue/0", "before": "deploy", "after": "deploy", "from": "/queue/2"}
    assert change_rows(diff(BEFORE, AFTER)) == [row]


def test_a_sentence_says_it_too() -> None:
    (said,) = PlainKind().sentences(BEFORE, AFTER)
    assert (said.subject, said.text) == ("/queue/0", '"deploy" moved from /queue/2')
