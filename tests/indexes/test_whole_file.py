import errno
import os
import sys

import pytest

from geosleuth.indexes.whole_file import appearing, write_private


def test_a_file_has_its_old_content_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with appearing(path) as scratch:
        scratch.write_text("ne")
        assert path.read_text() == "old"
        scratch.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "full"), ValueError("no such form"), KeyboardInterrupt()])
def test_a_writer_that_fails_leaves_the_old_content_and_nothing_else(tmp_path, failure):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def half(scratch):
        scratch.write_text("half")
        raise failure

    with pytest.raises(type(failure)), appearing(path) as scratch:
        half(scratch)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fills_up_at_the_flush_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(tmp_path / "a.txt", b"x")
    assert list(tmp_path.iterdir()) == []


def test_two_writers_at_once_do_not_mix(tmp_path):
    path = tmp_path / "a.txt"
    with appearing(path) as one, appearing(path) as other:
        one.write_text("one")
        other.write_text("other, longer")
    assert path.read_text() == "one"  # which came to its end later
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_a_private_file_is_its_owners_alone_from_its_first_byte(tmp_path):
    path = tmp_path / "a.txt"
    with appearing(path, private=True) as scratch:
        assert scratch.stat().st_mode & 0o777 == 0o600
        scratch.write_text("x")
    assert path.stat().st_mode & 0o777 == 0o600
