"""Whatever lies where a state file should be, reading it ends soon, in one moment of it or with a reason."""

import os
import socket
import threading
from pathlib import Path

import pytest

from statewatch.core.errors import SourceError
from statewatch.core.reading import MAX_BYTES, Signature, read, signature
from tests.support import until


def refusal(path: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(path)
    return caught.value


def test_a_file_is_read_with_its_digest_time_and_value(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b'{"a": 1}')
    os.utime(path, (1_000, 1_000))
    snapshot = read(path)
    assert snapshot.data == b'{"a": 1}'
    assert snapshot.document() == {"a": 1}
    assert snapshot.modified_at == 1_000
    assert len(snapshot.digest) == 64
    assert snapshot.signature == signature(path)


def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe, loop, bare = tmp_path / "pipe", tmp_path / "loop", tmp_path / "socket"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(bare))
        assert refusal(pipe).reason == "it is not a regular file"
        assert refusal(bare).reason == "it is not a regular file"
    assert refusal(tmp_path).reason == "it is a directory, not a file"
    assert refusal(loop).reason == "its symbolic links go round in a circle"
    assert refusal(Path("/dev/zero")).reason == "it is not a regular file"
    assert refusal(tmp_path / ("x" * 300)).reason == "its name is too long"
    assert refusal(tmp_path / "a\0b").reason == "its name cannot be the name of a file"


def test_a_missing_file_is_marked_as_missing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "nothing", tmp_path / "file" / "below"):
        error = refusal(path)
        assert error.missing
        assert str(error) == f"{path}: there is no such file"
        assert signature(path) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.touch(0o000)
    assert refusal(path).reason == "no permission to read it"


def test_a_file_of_200_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.touch()
    os.truncate(path, 200_000_000)  # sparse: it takes no room
    assert refusal(path).reason == "it is 200 MB large; files over 67 MB are not read"


def test_a_file_that_grows_beyond_the_limit_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    path.touch()
    genuine = os.read

    def growing(descriptor: int, size: int) -> bytes:
        os.truncate(path, MAX_BYTES + 5)
        return genuine(descriptor, min(size, 4_096)) if os.lseek(descriptor, 0, os.SEEK_CUR) < 8_192 else b""

    monkeypatch.setattr(os, "read", growing)
    assert "not read" in refusal(path).reason


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("[1]")
    (tmp_path / "link.json").symlink_to("real.json")
    assert read(tmp_path / "link.json").document() == [1]


def test_damage_is_refused_with_path_and_place(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b'{"a": 1,}')
    with pytest.raises(SourceError, match=r"state\.json: not JSON at line 1 column 9"):
        read(path).document()


def test_a_file_rewritten_in_place_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first reading sees the old head and the new tail; what is returned is one version."""
    path = tmp_path / "state.json"
    path.write_bytes(b"a" * 10)
    genuine = os.read
    reads = 0

    def interrupted(descriptor: int, size: int) -> bytes:
        nonlocal reads
        reads += 1
        if reads == 1:
            head = genuine(descriptor, 5)
            path.write_bytes(b"b" * 10)
            return head
        return genuine(descriptor, size)

    monkeypatch.setattr(os, "read", interrupted)
    assert read(path).data == b"b" * 10
    assert reads > 2


def test_a_replaced_file_is_always_one_version_or_the_other(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    versions = [bytes([digit]) * 50_000 for digit in b"01"]
    path.write_bytes(versions[0])
    stop = threading.Event()

    def writer() -> None:
        for number in range(1_000_000):
            if stop.is_set():
                return
            temporary = tmp_path / "temporary"
            temporary.write_bytes(versions[number % 2])
            temporary.replace(path)

    thread = threading.Thread(target=writer)
    thread.start()
    try:
        seen: set[bytes] = set()

        def both() -> bool:
            seen.add(read(path).data)
            return seen == set(versions)

        until(both, "both versions")
        assert {read(path).data for _ in range(200)} <= set(versions)
    finally:
        stop.set()
        thread.join()


def test_a_signature_tells_versions_apart_and_its_content_ignores_a_rename(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    first = signature(path)
    path.chmod(0o600)
    path.rename(tmp_path / "b")
    moved = signature(tmp_path / "b")
    (tmp_path / "c").write_bytes(b"1")
    other = signature(tmp_path / "c")
    assert isinstance(first, Signature)
    assert moved is not None
    assert other is not None
    assert first.content == moved.content
    assert first.content != other.content


def test_the_keys_that_pipelines_are_signed_with_are_refused_whatever_link_leads_to_them(tmp_path: Path) -> None:
    keys = tmp_path / "pipeline_secrets"
    keys.mkdir()
    (keys / "a.key").write_text("s3cret")
    (tmp_path / "state.json").symlink_to(keys / "a.key")
    (tmp_path / "plain").symlink_to(keys)
    for path in (keys / "a.key", tmp_path / "state.json", tmp_path / "plain" / "a.key"):
        assert "never read" in refusal(path).reason
