"""`kill -9` at any moment of a build or an add: the same command goes on, and the index is that of a run in peace."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import random
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from geosleuth.indexes.gallery.store import verify_index

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a signal of Unix")

TINY = Path(__file__).with_name("tiny_build.py")
tiny = runpy.run_path(str(TINY))
Task = Literal["build", "add"]


class Builder:
    """Runs builds in processes of their own, one at a time."""

    def __init__(self) -> None:
        command = [sys.executable, str(TINY)]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process = 0

    def start(self, task: Task, source: Path, out: Path, die_at: int | None = None, touching: str = "") -> None:
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.write(json.dumps([task, str(source), str(out), die_at, touching]) + "\n")
        self.server.stdin.flush()
        self.process = int(self.server.stdout.readline())

    def wait(self) -> int:
        assert self.server.stdout
        return int(self.server.stdout.readline())

    def kill(self) -> int:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        return self.wait()

    def finish(self, task: Task, source: Path, out: Path) -> None:
        self.start(task, source, out)
        assert self.wait() == 0

    def finish_after_death(self, task: Task, source: Path, out: Path) -> None:
        """Repeat the command, but for a build that was complete: that would rightly be refused."""
        journal = out / ".building"
        if task == "build" and (out / "manifest.json").exists() and not (journal / "plan.json").exists():
            shutil.rmtree(journal, ignore_errors=True)  # it had all but removed that
        else:
            self.finish(task, source, out)


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    builder = Builder()
    yield builder
    builder.server.communicate()


def content(index: Path) -> dict[str, Any]:
    """Every file by its hash, and the manifest without its date."""
    found: dict[str, Any] = {}
    for path in sorted(index.rglob("*")):
        if path.name == "manifest.json":
            found[path.name] = {
                k: v for k, v in json.loads(path.read_bytes()).items() if k not in ("created_at", "checksum")
            }
        else:
            found[path.relative_to(index).as_posix()] = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="module")
def world(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """64 photos, a twin, an unreadable one, one without a position; 40 more to add; and both indexes, made in peace."""
    root = tmp_path_factory.mktemp("world")
    first = tiny["draw_photos"](root / "first", 64)
    shutil.copy(first / "001.jpg", first / "twin.jpg")
    (first / "011.jpg").write_bytes((first / "011.jpg").read_bytes()[:-200])
    tiny["draw_photo"](first / "nowhere.jpg", 999, None)
    second = tiny["draw_photos"](root / "second", 40, first=50)  # 14 of the first are among them
    builder.finish("build", first, root / "built")
    shutil.copytree(root / "built", root / "added")
    builder.finish("add", second, root / "added")
    return {
        "build": (first, None, content(root / "built")),
        "add": (second, root / "built", content(root / "added")),
    }


def prepared(before: Path | None, out: Path) -> Path:
    shutil.rmtree(out, ignore_errors=True)
    if before is not None:
        shutil.copytree(before, out)
    return out


def test_the_world_is_as_meant(world: dict[str, Any]) -> None:
    built, added = world["build"][2]["manifest.json"], world["add"][2]["manifest.json"]
    assert (built["count"], built["problems"]) == (64 - 1, {"duplicate": 1, "skipped": 2})
    assert (added["count"], added["problems"]) == (63 + 26, {"duplicate": 1 + 14, "skipped": 2})


@pytest.mark.parametrize("task", ["build", "add"])
def test_killed_at_twenty_random_moments(task: Task, builder: Builder, world: dict[str, Any], tmp_path: Path) -> None:
    source, before, wanted = world[task]
    out = prepared(before, tmp_path / "index")
    started = time.monotonic()
    builder.finish(task, source, out)
    whole_s = time.monotonic() - started
    moments = random.Random(3)  # noqa: S311 - a fixed sequence
    killed, tried = 0, 0
    while tried < 20 or (killed < 10 and tried < 60):  # a machine that is less busy now comes too early to its end
        tried += 1
        out = prepared(before, tmp_path / "index")
        builder.start(task, source, out)
        time.sleep(moments.uniform(0.0, whole_s))
        killed += builder.kill() == -signal.SIGKILL
        builder.finish_after_death(task, source, out)
        assert content(out) == wanted
    assert killed >= 10  # else the moments were too late to show anything
    assert verify_index(out).ok


@pytest.mark.parametrize("task", ["build", "add"])
def test_killed_when_about_to_touch_the_disk(
    task: Task, builder: Builder, world: dict[str, Any], tmp_path: Path
) -> None:
    """Every 19th opening, renaming or removal of a file of the index, until there are no more: all phases are met."""
    source, before, wanted = world[task]
    left_behind: set[str] = set()
    for event in itertools.count(1, 19):
        out = prepared(before, tmp_path / "index")
        builder.start(task, source, out, die_at=event)
        status = builder.wait()
        if status == 0:  # fewer events than that
            break
        assert status == -signal.SIGKILL
        left_behind |= {path.name.split("-")[0] for path in out.rglob("*") if path.is_file()}
        builder.finish_after_death(task, source, out)
        assert content(out) == wanted, f"killed at event {event}"
    assert {"lock", "listing.parquet", "plan.json", "chunk", "references", "vectors", "manifest.json"} <= left_behind


@pytest.mark.parametrize("name", ["references-1", "vectors-1", "problems-1"])
def test_killed_when_about_to_touch_a_superseded_file(
    name: str, builder: Builder, world: dict[str, Any], tmp_path: Path
) -> None:
    """The last touch of each is its removal, after the commit."""
    source, before, wanted = world["add"]
    committed = 0
    for event in itertools.count(1):
        out = prepared(before, tmp_path / "index")
        builder.start("add", source, out, die_at=event, touching=name)
        if builder.wait() == 0:
            break
        committed += json.loads((out / "manifest.json").read_bytes())["generation"] == 2
        builder.finish_after_death("add", source, out)
        assert content(out) == wanted, f"killed at touch {event} of {name}"
    assert committed == 1
