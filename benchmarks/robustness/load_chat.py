"""Many sessions of one chat at once: answer times, errors, and the server's memory over time."""

from __future__ import annotations

import collections
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from chat_visit import Visit, Visitor
from drawn_photos import drawn
from memory_watch import MemoryWatch, cpu_seconds, memory_table

START_S = 180  # of a busy machine; 4 on a free one


def measure_chat(folder: Path, sessions: int, rounds: int, timeout_s: float) -> str:
    """Have so many new sessions ask at the same moment, `rounds` times, and return the figures in Markdown."""
    photos = drawn(sessions * rounds + 1)
    visits: list[Visit] = []
    with _server(folder) as (process, url):
        first = _ask(url, next(photos), timeout_s)  # loads the tables
        used_s, began = -cpu_seconds(process.pid), time.monotonic()
        with MemoryWatch(process.pid) as watch:
            for _ in range(rounds):
                with ThreadPoolExecutor(sessions) as pool:
                    asked = [pool.submit(_ask, url, next(photos), timeout_s) for _ in range(sessions)]
                visits += [one.result() for one in asked]
        alive = process.poll() is None
        used_s, took_s = used_s + cpu_seconds(process.pid), time.monotonic() - began
    said = f"The first answer, tables and all: {first.outcome} after {first.answer_s:.1f} s. "
    said += "The server is alive. " if alive else "THE SERVER HAS ENDED. "
    said += f"It used {used_s:.0f} s of a core in {took_s:.0f} s, and pages asked "
    said += f"{sum(one.polls for one in visits):,} times whether they were done.\n\n"
    return said + visits_table(visits, sessions, rounds) + "\n" + memory_table(watch.samples)


def visits_table(visits: Sequence[Visit], sessions: int, rounds: int) -> str:
    """How questions ended, and how long answers took."""
    outcomes = collections.Counter(one.outcome for one in visits)
    answered = sorted(one.answer_s for one in visits if one.outcome == "answered")
    opened = sorted(one.open_s for one in visits if one.open_s > 0)  # 0: no connection, or no page
    lines = [
        ("sessions at once, rounds", f"{sessions}, {rounds}"),
        *(
            (f"questions that were {what}" if what == "answered" else what, f"{n}")
            for what, n in outcomes.most_common()
        ),
        ("pages that opened", f"{len(opened)} of {len(visits)}"),
        *([("page open: median, longest", f"{statistics.median(opened):.1f} s, {opened[-1]:.1f} s")] if opened else []),
        ("most before one in the queue", f"{max(one.most_before for one in visits)}"),
    ]
    if answered:
        late = answered[min(len(answered) - 1, int(0.95 * len(answered)))]
        lines.append(
            (
                "answer after: shortest, median, 95 %, longest",
                f"{answered[0]:.1f}, {statistics.median(answered):.1f}, {late:.1f}, {answered[-1]:.1f} s",
            )
        )
    return "| chat | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in lines)


def _ask(url: str, photo: tuple[str, bytes], timeout_s: float) -> Visit:
    """Ask about one photo in a session of its own, which ends with the answer."""
    try:
        with Visitor(url, timeout_s) as visitor:
            return visitor.ask(*photo)
    except (OSError, TimeoutError) as error:  # no connection at all
        return Visit(f"no connection: {type(error).__name__}")


@contextmanager
def _server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`geosleuth chat` on a free port, with a log in the folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from geosleuth.ui.cli import main; main()", "chat"]
    command += ["--port", str(port), "--cases", str(folder / "cases")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GEOSLEUTH_", "STREAMLIT_"))}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=kept, stdout=log, stderr=log)
    try:
        _wait(process, f"http://127.0.0.1:{port}", folder)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):  # noqa: S310 - our own port
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"The chat did not start:\n{(folder / 'server.log').read_text(errors='replace')[-2000:]}")
