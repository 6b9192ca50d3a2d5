"""Logs that grow line by line: what is bad in one does not hide the rest."""

from statewatch.documents import json_lines


def test_every_line_is_a_value_and_empty_lines_are_none() -> None:
    assert json_lines.decode(b'{"a": 1}\n\n2\n') == ([{"a": 1}, 2], "")


def test_a_last_line_that_is_still_being_written_waits_for_its_end() -> None:
    assert json_lines.decode(b'1\n{"half": ') == ([1], "")
    assert json_lines.decode(b"1\n2") == ([1, 2], "")


def test_bad_lines_are_left_out_and_counted_with_the_first_one_named() -> None:
    assert json_lines.decode(b"1\nx\n2\n\xff\n") == ([1, 2], "line 2 and 1 more is no JSON and is left out")


def test_of_a_long_log_the_latest_lines_are_shown_with_their_numbers_in_the_file() -> None:
    data = b"".join(b"%d\n" % number for number in range(json_lines.MOST_LINES + 5)) + b"bad\n"
    values, said = json_lines.decode(data)
    assert (values[0], values[-1]) == (6, json_lines.MOST_LINES + 4)
    assert said == "only the latest 2,000 lines are shown; line 2006 is no JSON and is left out"


def test_nothing_is_an_empty_log() -> None:
    assert json_lines.decode(b"") == ([], "")
