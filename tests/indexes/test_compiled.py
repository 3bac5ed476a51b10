from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from geosleuth.indexes.compiled import CACHE_VARIABLE, cache_folder, compiled_folder
from geosleuth.indexes.errors import InputError

# A builder that notes each start, takes a while and writes two files; run in processes of its own.
SLOW_BUILD = """
import sys, time
from pathlib import Path
from geosleuth.indexes.compiled import compiled_folder

def build(folder):
    with Path(sys.argv[1]).open("a") as log:
        log.write("started\\n")
    (folder / "first").write_text("1")
    time.sleep(float(sys.argv[2]))
    (folder / "second").write_text("2")

folder = compiled_folder("slow", ["1"], build)
print(sorted(p.name for p in folder.glob("[!.]*")))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_one(folder: Path) -> None:
    (folder / "table").write_text("one")


def refuse(folder: Path) -> None:
    raise AssertionError("must not build")


def slow_process(log: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SLOW_BUILD, str(log), str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(log: Path) -> None:
    deadline = time.monotonic() + 20
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert log.exists()


def test_builds_once(cache: Path) -> None:
    first = compiled_folder("t", ["1", "2"], write_one)
    assert first.parent == cache / "compiled"
    assert (first / "table").read_text() == "one"
    assert compiled_folder("t", ["1", "2"], refuse) == first


def test_another_version_replaces_the_old_one_only_of_its_own_table(cache: Path) -> None:
    old = compiled_folder("t", ["1"], write_one)
    other = compiled_folder("t-more", ["1"], write_one)
    new = compiled_folder("t", ["2"], write_one)
    assert new != old
    assert not old.exists()
    assert other.exists()
    assert compiled_folder("t", ["12"], write_one) != compiled_folder(
        "t", ["1", "2"], write_one
    )  # parts are kept apart


def test_of_two_processes_one_builds_and_both_see_it_whole(cache: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    processes = [slow_process(log, 0.5) for _ in range(2)]
    outputs = [process.communicate(timeout=30)[0] for process in processes]
    assert outputs == ["['first', 'second']\n"] * 2
    assert log.read_text() == "started\n"


def test_a_killed_build_leaves_no_half_folder_and_the_next_one_clears_up(cache: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = slow_process(log, 60)
    wait_for(log)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    left = [p.name for p in (cache / "compiled").iterdir() if p.is_dir()]
    assert len(left) == 1
    assert left[0].startswith(".slow-")

    again = slow_process(log, 0)
    assert again.communicate(timeout=30)[0] == "['first', 'second']\n"
    folders = [p.name for p in (cache / "compiled").iterdir() if p.is_dir()]
    assert len(folders) == 1
    assert folders[0].startswith("slow-")


def test_a_failed_build_leaves_nothing_and_keeps_its_own_error(cache: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise FileNotFoundError(errno.ENOENT, "no such table")

    with pytest.raises(FileNotFoundError):
        compiled_folder("t", ["1"], fail)
    assert [p.name for p in (cache / "compiled").iterdir()] == ["t.lock"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full, the full disk of Linux, is not here")
def test_a_full_disk_is_told_with_its_remedy(cache: Path) -> None:
    def fill(folder: Path) -> None:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"x")

    with pytest.raises(InputError) as caught:
        compiled_folder("t", ["1"], fill)
    assert str(cache / "compiled") in caught.value.found
    assert os.strerror(errno.ENOSPC) in caught.value.found
    assert "cache_dir" in caught.value.remedy
    assert CACHE_VARIABLE in caught.value.remedy


def test_a_cache_that_is_no_folder_is_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cache folder that can be written.*file.*GEOSLEUTH_CACHE_DIR"):
        compiled_folder("t", ["1"], write_one)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write to read-only folders")
def test_a_read_only_cache_is_told_but_serves_what_it_has(cache: Path) -> None:
    done = compiled_folder("t", ["1"], write_one)
    (cache / "compiled").chmod(0o500)
    try:
        assert compiled_folder("t", ["1"], refuse) == done
        with pytest.raises(InputError):
            compiled_folder("u", ["1"], write_one)
    finally:
        (cache / "compiled").chmod(0o700)


def test_the_default_cache_is_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    assert "geosleuth" in str(cache_folder())


@pytest.mark.parametrize("damage", ["cut short", "gone", "list"])
def test_a_table_that_lost_a_part_is_made_anew(cache: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    folder = compiled_folder("t", ["1"], write_one)
    if damage == "cut short":
        (folder / "table").write_text("on")
    elif damage == "gone":
        (folder / "table").unlink()
    else:
        (folder / ".sizes.json").write_text("[")
    assert (compiled_folder("t", ["1"], write_one) / "table").read_text() == "one"
    assert "is damaged, and is made anew" in caplog.text
    assert compiled_folder("t", ["1"], refuse) == folder


def test_a_table_of_an_earlier_version_serves(cache: Path) -> None:
    folder = compiled_folder("t", ["1"], write_one)
    (folder / ".sizes.json").unlink()
    assert compiled_folder("t", ["1"], refuse) == folder
