"""Names: whatever is accepted is safe on every system, what other tools left can be opened, and no two are confused."""

import os
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from statewatch.core import names
from statewatch.core.errors import RefusedError
from statewatch.core.lock import sidecar
from statewatch.core.names import check_checkpoint, check_key, check_namespace, clash, existing_is_safe
from statewatch.core.swap import Replacement


def refusal(name: str) -> str:
    with pytest.raises(RefusedError) as caught:
        check_checkpoint(name)
    with pytest.raises(RefusedError) as again:
        check_namespace(name)
    assert str(again.value) == str(caught.value).replace("checkpoint", "namespace", 1)
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "default",
        "wf-1",
        "before-deploy",
        "auto_20261116_120000",
        "v1.2.3",
        "a",
        "7",
        "_private",
        "+1",
        "two words",
        "Größe",
        "до релиза",
        "Πριν",
        "発売前",
        "출시",
        "कार्य",
        "قبل",
        "งานที่ทำ",
        "Tiếng Việt",
        "٣",
        "console",
        "com10",
        "lock",
        "tmp.1",
        "a" * 128,
        "ж" * 100,
        "発" * 66,
    ],
)
def test_names_that_people_give_are_allowed(name: str) -> None:
    check_namespace(name)
    check_checkpoint(name)
    assert existing_is_safe(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        ("..", "begins with '.'"),
        (".", "begins with '.'"),
        (".hidden", "begins with '.'"),
        ("-rf", "begins with '-'"),
        ("/etc/passwd", "has '/' U+002F (SOLIDUS) at position 1"),
        ("a/../b", "has '/' U+002F (SOLIDUS) at position 2"),
        ("a\\b", "has '\\' U+005C (REVERSE SOLIDUS) at position 2"),
        ("C:", "has ':' U+003A (COLON) at position 2"),
        ("a\0b", "has U+0000 (a control character) at position 2"),
        ("a\nb", "has U+000A (a control character) at position 2"),
        ("a\x1b[2J", "has U+001B (a control character) at position 2"),
        ("pay\u200bpal", "has U+200B (ZERO WIDTH SPACE) at position 4"),
        ("a\u202egnp", "has U+202E (RIGHT-TO-LEFT OVERRIDE) at position 2"),
        ("a\u00adb", "has U+00AD (SOFT HYPHEN) at position 2"),
        ("a\ufe0f", "has U+FE0F (VARIATION SELECTOR-16) at position 2"),
        ("a\u3164", "U+3164 (HANGUL FILLER) at position 2"),
        ("a\u00a0b", "U+00A0 (NO-BREAK SPACE) at position 2"),
        ("a\ud800", "has U+D800 (half of a surrogate pair) at position 2"),
        ("a\ue000", "has U+E000 (unassigned or private) at position 2"),
        ("a@b", "has '@' U+0040"),
        ("a#b", "has '#' U+0023"),
        ("a?b", "has '?' U+003F"),
        ("a%b", "has '%' U+0025"),
        ("a*b", "has '*' U+002A"),
        ("[ab]", "has '[' U+005B"),
        ("~", "has '~' U+007E"),
        ("$HOME", "has '$' U+0024"),
        ("a‿b", "has '‿' U+203F"),
        ("½", "has '½' U+00BD"),
        ("a／b", "has '／' U+FF0F (FULLWIDTH SOLIDUS)"),
        ("\u0301a", "has U+0301 (COMBINING ACUTE ACCENT) at position 1 without a letter to stand on"),
        ("a.\u0301", "has U+0301 (COMBINING ACUTE ACCENT) at position 3 without a letter to stand on"),
        (" a", "begins or ends with a space"),
        ("a ", "begins or ends with a space"),
        (" ", "begins or ends with a space"),
        ("a.", "ends with '.'"),
        ("cafe\u0301", "composed form (NFC)"),
        ("\u212a", "composed form (NFC)"),
        ("CON", "that of a device"),
        ("nul", "that of a device"),
        ("Aux.json", "that of a device"),
        ("com1.tar.gz", "that of a device"),
        ("LPT9 .x", "that of a device"),
        ("state.tmp", "ends like a temporary file or a lock (.tmp or .lock)"),
        ("state.LOCK", "ends like a temporary file or a lock"),
        ("a" * 129, "has 129 characters"),
        ("a" * 300, "has 300 characters"),
        ("a" * 1_000_000, "has 1,000,000 characters"),
        ("発" * 67, "has 201 bytes in UTF-8, and 200 is the most"),
    ],
)
def test_names_that_would_do_damage_somewhere_are_refused_with_the_reason(name: str, why: str) -> None:
    message = refusal(name)
    assert why in message
    assert message.endswith(
        "Allowed are up to 128 letters and digits of any script, with . _ - + and spaces between them."
    )
    assert len(message) < 300
    assert message.isprintable()


likely = st.sampled_from([*"abZ09._-+ /\\:~*é発к\u0301\0\n\u200b", "CON", "aux", ".tmp", ".lock", "..", "com1", "ß"])
anything = st.lists(st.one_of(likely, st.characters(exclude_categories=())), max_size=12).map("".join)
letters = st.text(st.characters(categories=["L", "Nd", "Mn", "Mc"]), max_size=130).map(
    lambda text: unicodedata.normalize("NFC", text)
)
any_name = anything | letters | st.text("a", max_size=130)


def accepted(name: str) -> bool:
    try:
        check_checkpoint(name)
    except RefusedError:
        return False
    return True


@given(any_name)
@example("発" * 66)
@example("\U00020000" * 50)
def test_whatever_is_accepted_is_one_file_in_the_directory_at_hand_on_every_system(name: str) -> None:
    assume(accepted(name))
    for path in (PurePosixPath("dir", f"{name}.json"), PureWindowsPath("dir", f"{name}.json")):
        assert path.parent == type(path)("dir")
        assert path.name == f"{name}.json"
        assert path.parts == ("dir", f"{name}.json")
    assert os.path.normpath(f"dir/{name}") == f"dir/{name}"
    assert existing_is_safe(name)
    assert name.isprintable()
    assert unicodedata.normalize("NFC", name) == name
    assert clash(name, [name]) is None


@pytest.mark.parametrize("name", ["a" * 128, "発" * 66 + "ab", "\U00020000" * 50])
def test_the_longest_names_leave_room_for_suffix_temporary_file_and_lock(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_checkpoint(name)
    target = tmp_path_factory.mktemp("d") / f"{name}.json"
    with Replacement(target, b"{}") as new:
        process = len(str(os.getpid()))
        assert len(os.fsencode(Path(new.file).name)) + (10 - process) <= 255  # whatever the number of the process
    assert len(os.fsencode(sidecar(target).name)) <= 255


@given(
    st.text(max_size=20) | st.text(st.characters(exclude_categories=()), max_size=20) | st.text("ab/", max_size=1030)
)
@example("a" * 1_024)
@example("ж" * 512)
def test_a_key_is_any_text_that_utf8_can_hold(key: str) -> None:
    good = 0 < len(key.encode(errors="surrogatepass")) <= 1_024 and "\0" not in key
    good = good and not any("\ud800" <= character <= "\udfff" for character in key)
    if good:
        check_key(key)
    else:
        with pytest.raises(RefusedError, match="1,024 bytes in UTF-8 without NUL"):
            check_key(key)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "is empty"),
        ("a\0b", "has a NUL at position 2"),
        ("ab\udc80", "has U+DC80 (half of a surrogate pair) at position 3"),
        ("a" * 1_025, "has 1,025 bytes"),
        ("ж" * 513, "has 1,026 bytes"),
    ],
)
def test_a_key_that_a_store_could_not_hold_is_refused_with_the_reason(key: str, why: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_key(key)
    assert why in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name", ["state 🎉", ".hidden", "-rf", "a:b", "CON", "x.tmp", "cafe\u0301", "\udcff", "a" * 255]
)
def test_what_other_tools_left_can_be_opened(name: str) -> None:
    assert existing_is_safe(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/", "../x", "/etc/passwd", "a\\..\\b", "a\0", "\ud800", "a" * 256, "発" * 86]
)
def test_but_never_what_leads_elsewhere(name: str) -> None:
    assert not existing_is_safe(name)


@pytest.mark.parametrize(
    ("new", "there"),
    [
        ("Default", "default"),
        ("STRASSE", "straße"),
        ("раураl", "paypal"),
        ("РАУРАL", "paypal"),
        ("ВАТСН", "batch"),
        ("bаtch", "BATCH"),
        ("ΑΒΕ", "abe"),
        ("νeto", "veto"),
        ("ΝΕΤ", "net"),
        ("Ν", "ν"),
        ("օne", "one"),
        ("café", "cafе\u0301"),
        ("ёж-e", "ëж-e"),
        ("wıth", "with"),
        ("İ", "i"),
        ("ﬁle", "file"),
        ("ｗｆ", "wf"),
        ("ⅷ", "viii"),
        ("cafe\u0301", "café"),
    ],
)
def test_a_name_that_would_be_taken_for_another_is_found(new: str, there: str) -> None:
    assert clash(new, ["something", there, "else"]) == there
    assert clash(there, [new]) == new


@pytest.mark.parametrize(
    ("new", "there"),
    [("default", "default2"), ("wf-1", "wf-l"), ("l0", "lo"), ("cafe", "café"), ("дом", "dom"), ("modern", "modem")],
)
def test_names_that_differ_to_the_eye_live_side_by_side(new: str, there: str) -> None:
    assert clash(new, [there]) is None


def test_a_name_that_exists_is_not_new() -> None:
    assert clash("prod", iter(["Prod", "prod"])) is None
    assert clash("PROD", iter(["Prod", "prod"])) == "Prod"
    assert clash("prod", []) is None


alike = st.text("aAаАαΑnNνΝvVeEеё\u0308iIіİ\u0307ıßsSﬁ", min_size=1, max_size=4)


@given(alike | any_name, alike | any_name)
def test_confusion_is_mutual(one: str, other: str) -> None:
    assert (clash(one, [other]) is None) == (clash(other, [one]) is None)


@given(anything)
def test_a_name_is_confused_with_its_other_spellings(name: str) -> None:
    for other in (
        name.upper(),
        name.casefold(),
        unicodedata.normalize("NFKC", name),
        unicodedata.normalize("NFD", name),
    ):
        assert other == name or clash(other, [name]) == name


def test_every_look_alike_is_a_letter_of_another_kind_that_survives_normalisation() -> None:
    """Else its entry would never be reached, or it would fold plain names."""
    for code, target in names._LOOK_ALIKES.items():
        letter = chr(code)
        assert unicodedata.category(letter).startswith("L")
        assert unicodedata.name(letter).split()[0] in {"CYRILLIC", "GREEK", "ARMENIAN", "LATIN"}
        assert unicodedata.normalize("NFKD", letter) == letter
        assert not letter.isascii()
        assert chr(target).isascii()
        assert chr(target).isalpha()
        assert clash(letter, [chr(target)]) == chr(target)
