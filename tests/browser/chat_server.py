"""`geosleuth chat` in a process of its own, with its own folder of cases."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest

START_S = 90  # of a loaded machine; 4 on a free one


@dataclass
class ChatServer:
    """A server on a port of its own; `stop` and `start` make it anew with the same cases."""

    folder: Path
    settings: Path | None = None
    port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")

    def start(self) -> None:
        command = [sys.executable, "-c", "from geosleuth.ui.cli import main; main()", "chat"]
        command += ["--port", str(self.port), "--cases", str(self.folder / "cases")]
        command += ["--settings", str(self.settings)] if self.settings else []
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GEOSLEUTH_", "STREAMLIT_"))}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=kept, stdout=log, stderr=log)
        until = time.monotonic() + START_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):  # noqa: S310 - our own port
                    return
            except OSError:
                time.sleep(0.1)
        code = self.process.poll()
        self.stop()
        pytest.fail(f"the chat did not start (exit code {code}):\n{self.log[-3000:]}")

    def stop(self, sign: signal.Signals = signal.SIGINT) -> None:
        if self.process is None:
            return
        try:
            self.process.send_signal(sign)
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(15)
        self.process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
