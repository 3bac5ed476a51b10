"""The folder of a run: all that is needed to repeat it, to go on with it, and to use what came of it.

settings.json         the settings as they were resolved
about.json          command, versions, machine, what the data sets held, commit if this is a checkout
checkpoints/        `checkpoint.py`
metrics.jsonl       a line every few steps and per evaluation
tensorboard/        the same, for TensorBoard
broken.json         pictures that could not be decoded
encoder/            the result: what `dir:RUN` names
.lock               held while a process trains
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from geosleuth.indexes.encoders.torch_features import import_extra
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.lock import LOCK, locked
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.gleam_c.config import GleamCConfig

_PACKAGES = ("geosleuth", "torch", "timm", "transformers", "numpy", "faiss-cpu", "opencv-python-headless", "pillow")
# Settings that may change from one session to the next without making it another run.
_FREE: dict[str, Any] = {"machine": True, "checkpoint_minutes": True}


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of a run."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Where the state is kept."""
        return self.path / "checkpoints"

    @property
    def encoder(self) -> Path:
        """The result."""
        return self.path / "encoder"

    @property
    def metrics(self) -> Path:
        """One JSON object a line."""
        return self.path / "metrics.jsonl"

    def write_settings(self, config: GleamCConfig) -> None:
        """Keep the settings; from now on the folder is this run's."""
        _write_json(self.path / "settings.json", config.model_dump(mode="json"))

    def write_about(self, sets: Sequence[str]) -> None:
        """Say what made this run; every session adds an entry."""
        path = self.path / "about.json"
        sessions = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        sessions.append(
            {
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "command": sys.argv,
                "data": list(sets),
                "versions": _versions(),
                "python": platform.python_version(),
                "machine": f"{platform.platform()}, {os.cpu_count()} cores",
                "commit": _commit(),
            }
        )
        _write_json(path, sessions)

    def keep_metrics_until(self, step: int) -> None:
        """Forget lines of steps that a resumed run does again."""
        if not self.metrics.exists():
            return
        lines = self.metrics.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
        with appearing(self.metrics) as scratch:
            scratch.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def add_metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Add a line."""
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")

    @contextlib.contextmanager
    def board(self, steps: int) -> Iterator[Any]:
        """Open TensorBoard's writer; what it has of later steps than `steps` is done again, and forgotten."""
        writer = import_extra("torch.utils.tensorboard").SummaryWriter(
            str(self.path / "tensorboard"), purge_step=steps + 1
        )
        with contextlib.closing(writer):
            yield writer

    def write_card(self, text: str) -> None:
        """Write the model card."""
        with appearing(self.path / "README.md") as scratch:
            scratch.write_text(text, encoding="utf-8")

    def broken(self) -> set[str]:
        """Return the pictures that could not be decoded so far."""
        path = self.path / "broken.json"
        return set(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else set()

    def write_broken(self, paths: Iterable[str]) -> None:
        """List pictures that could not be decoded."""
        _write_json(self.path / "broken.json", sorted(paths))


@contextlib.contextmanager
def opened(path: Path, config: GleamCConfig) -> Iterator[RunFolder]:
    """Make the folder of a run, or take up the one that is there; nobody else may, for as long as the context lasts.

    Raises:
        InputError: The folder is of another run or holds something else, is in use, or cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            path.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(path, f"the run {path} for this process alone", "another that trains it now"))
        except OSError as error:
            found = f"{error.filename}: {error.strerror}"
            raise InputError("a folder for the run that can be written", found, "Name another --out.") from error
        _check(path, config.model_dump(mode="json", exclude=_FREE))
        yield RunFolder(path)


def _check(path: Path, settings: dict[str, Any]) -> None:
    config = path / "settings.json"
    if not config.exists():
        others = [one.name for one in path.iterdir() if one.name != LOCK]
        if others:
            raise InputError("a new folder for the run, or one of a run", f"{path} with {others[0]}", "Name another.")
        return
    try:
        known = GleamCConfig.model_validate_json(config.read_bytes()).model_dump(mode="json", exclude=_FREE)
    except ValueError as error:
        raise InputError(f"the settings of a run in {config}", f"others ({error})", "Name another --out.") from error
    different = sorted(key for key in settings if settings[key] != known.get(key))
    if different:
        remedy = "Name another --out, or use the settings that this run began with (its settings.json)."
        raise InputError(f"the same settings as the run in {path} had", f"another {', '.join(different)}", remedy)


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _commit() -> str | None:
    """Return the commit of the checkout that this file is of, with "+" where files were changed."""
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--dirty=+"],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def _write_json(path: Path, content: Any) -> None:
    with appearing(path) as scratch:
        scratch.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
