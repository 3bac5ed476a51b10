"""The folder of a LoRA training: all that is needed to repeat it, to go on with it, and to use what came of it.

<stage>/                  the adapter: adapter_model.safetensors, adapter_config.json, README.md
training/settings.json    the settings as they were resolved
training/about.json       an entry per session: command, versions, machine, what the data were
training/<stage>/         lessons.json, lessons/ (their lengths), checkpoint-<step>/, metrics.jsonl, tensorboard/,
                          report.json
.lock                     held while a process trains
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.lock import LOCK, locked
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.lora.config import RESERVED, AdapterConfig
from geosleuth.training.lora.watch import last_checkpoint

ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PACKAGES = ("geosleuth", "torch", "transformers", "peft", "accelerate", "bitsandbytes", "numpy", "pillow")
_SAID = 5  # settings that differ
_FREE = ("workers", "threads", "checkpoint_minutes")  # of the machine: may change from one session to the next


@dataclass(frozen=True, slots=True)
class StageFolder:
    """Paths of a stage."""

    adapter: Path
    work: Path

    @property
    def is_done(self) -> bool:
        """Whether the adapter is there: its configuration is written last."""
        return (self.adapter / ADAPTER_CONFIG).is_file() and (self.adapter / ADAPTER_WEIGHTS).is_file()

    @property
    def lessons(self) -> Path:
        """What `survey.py` found."""
        return self.work / "lessons"

    @property
    def metrics(self) -> Path:
        """One JSON object a step."""
        return self.work / "metrics.jsonl"

    @property
    def report(self) -> Path:
        """Figures of a stage that is done."""
        return self.work / "report.json"


@dataclass(frozen=True, slots=True)
class AdapterRunFolder:
    """Paths of a run."""

    path: Path

    @property
    def settings(self) -> Path:
        """The settings; with them the folder is this run's."""
        return self.path / RESERVED / "settings.json"

    def stage(self, name: str) -> StageFolder:
        """Paths of a stage."""
        return StageFolder(self.path / name, self.path / RESERVED / name)

    def begin(self, config: AdapterConfig, data: Mapping[str, Any]) -> None:
        """Keep the settings, and what this session works with."""
        self.settings.parent.mkdir(exist_ok=True)
        write_json(self.settings, config.model_dump(mode="json"))
        path = self.path / RESERVED / "about.json"
        sessions = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        sessions.append(
            {
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "command": sys.argv,
                "data": data,
                "versions": _versions(),
                "python": platform.python_version(),
                "machine": f"{platform.platform()}, {os.cpu_count()} cores",
            }
        )
        write_json(path, sessions)


@contextlib.contextmanager
def opened(path: Path, config: AdapterConfig) -> Iterator[AdapterRunFolder]:
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
        folder = AdapterRunFolder(path)
        _check(folder, config)
        yield folder


def write_json(path: Path, content: Any) -> None:
    """Write a file as a whole."""
    with appearing(path) as scratch:
        scratch.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _check(folder: AdapterRunFolder, config: AdapterConfig) -> None:
    work = folder.settings.parent
    if not folder.settings.exists():
        ours = {LOCK} if work.is_dir() and any(work.iterdir()) else {LOCK, RESERVED}  # empty: killed as it began
        others = sorted(one.name for one in folder.path.iterdir() if one.name not in ours)
        if others:
            found = f"{folder.path} with {others[0]}"
            raise InputError("a new folder for the run, or one of a run", found, "Name another --out.")
        return
    try:
        known = _fixed(AdapterConfig.model_validate_json(folder.settings.read_bytes()))
    except ValueError as error:
        found = f"others ({error})"
        raise InputError(f"the settings of a run in {folder.settings}", found, "Name another --out.") from error
    now = _fixed(config)
    different = [
        f"{key}: {known.get(key, 'none')} then, {now.get(key, 'none')} now"
        for key in dict.fromkeys([*now, *known])
        if now.get(key) != known.get(key)
    ]
    if different and not _has_learned(folder):
        shutil.rmtree(work)  # what was measured with a wrong setting, which the first command brought
    elif different:
        remedy = "Name another --out, or use the settings that this run began with (training/settings.json)."
        raise InputError(f"the same settings as the run in {folder.path} had", "; ".join(different[:_SAID]), remedy)


def _has_learned(folder: AdapterRunFolder) -> bool:
    """Whether a stage is done, or has a checkpoint."""
    works = [one for one in folder.settings.parent.iterdir() if one.is_dir()]
    return any(folder.stage(one.name).is_done or last_checkpoint(one, clean=False) is not None for one in works)


def _fixed(config: AdapterConfig) -> dict[str, Any]:
    """What two sessions of a run must share, each setting by its path: machine.batch_size, stages.location.epochs."""
    content = config.model_dump(mode="json")
    content["machine"] = {key: value for key, value in content["machine"].items() if key not in _FREE}
    content["stages"] = {stage["name"]: stage for stage in content["stages"]}
    order = ", ".join(content["stages"])
    return {"stages": order, **dict(_flat("", content))}


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}" if path else key, inner)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        yield from _flat(path, {str(number): one for number, one in enumerate(value)})
    else:
        yield path, value


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
