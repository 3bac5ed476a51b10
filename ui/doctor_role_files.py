"""Files that a role reads beside its model: measured gates, calibrations, class weights, the names of classes.

Weights are told by names, and by the hub's commits; a folder's are not hashed here, for that means reading all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.ui.doctor_weights import ADAPTER_CONFIG, CONFIG, hub_folder

if TYPE_CHECKING:
    from geosleuth.agent.settings import Settings
    from geosleuth.indexes.backend import Backend

Said = tuple[str, str | None]  # what was found, and the remedy; None: it is no trouble

_UNCALIBRATED = "its verdicts are shown, and are no evidence"
_DIGEST = "[0-9a-f]{12}"  # as tools/vlm/model_folder.py writes it


def about_files(role: str, backend: Backend, settings: Settings, segmenter: Path | None) -> Iterator[Said]:
    """Say what the role's files are worth, and what is wrong with them.

    Args:
        role: Its name in the settings.
        backend: What plays it.
        settings: They name the files.
        segmenter: The model's folder, where it is a segmenter and lies on this machine.
    """
    checks: list[Iterator[Said]] = []
    if role == "pairwise" and settings.rerank_gate is not None:
        checks.append(_gate(settings.rerank_gate, backend, settings))
    if role == "gleam_x":
        checks.append(_calibration(backend))
    if segmenter is not None:
        checks.append(_classes(segmenter))
    if role == "locatability" and settings.locatability_weights is not None:
        checks.append(_class_weights(settings.locatability_weights))
    for check in checks:
        try:
            yield from check
        except InputError as error:
            yield f"wanted {error.wanted}, found {error.found}", error.remedy


def _gate(path: Path, backend: Backend, settings: Settings) -> Iterator[Said]:
    from geosleuth.tools.rerank_gate import gate_allows, read_gate

    gate = read_gate(path)
    measure = "Measure this one by `python -m geosleuth.training.evaluate rerank`, or leave rerank_gate out"
    if not _same_weights(gate.weights, backend):
        yield f"the gate {path} was measured for the model {gate.weights}, and stays shut for {backend}", measure
        return
    decision = gate_allows(path, settings.strategy, gate.weights)
    if decision.allowed:
        yield f"the gate {path} is open: {decision.reason}", None
    elif gate.strategy != settings.strategy:
        yield f"the gate {path} was measured for the strategy {gate.strategy}, not {settings.strategy}", measure
    else:
        yield f"the gate {path} is shut: {decision.reason}", "Name another model or strategy, or take `embedded`"


def _calibration(backend: Backend) -> Iterator[Said]:
    from geosleuth.tools.match_calibration import FILE_NAME, load_calibration

    last = backend.adapters[-1] if backend.adapters else backend  # the one that `calibration_for` looks beside
    if last.base != "dir":
        yield f"no calibration is looked for beside {last}, only in folders: {_UNCALIBRATED}", None
        return
    path = Path(last.name).expanduser() / FILE_NAME
    if not path.is_file():
        yield f"no {FILE_NAME} in {path.parent}: {_UNCALIBRATED}", None
        return
    found = load_calibration(path)
    if _same_weights(found.weights, backend):
        yield f"calibrated on {found.matches} matches and {found.others} others: {path}", None
    else:
        remedy = "Fit it anew by `python -m geosleuth.training.evaluate gleam-x`, or remove the file"
        yield f"{path} was fitted with {found.weights}, not with {backend}: it is not used, and {_UNCALIBRATED}", remedy


def _classes(segmenter: Path) -> Iterator[Said]:
    from transformers import AutoConfig

    from geosleuth.tools.ade20k import label_offset

    config = AutoConfig.from_pretrained(segmenter, trust_remote_code=False, local_files_only=True)
    label_offset(config.id2label, str(segmenter))
    yield "its classes are ADE20K's, in their order", None


def _class_weights(table: Path) -> Iterator[Said]:
    from geosleuth.tools.class_weights import read_weights

    read_weights(table)
    yield f"class weights, for a segmenter: {table}", None


def _same_weights(recorded: str, backend: Backend) -> bool:
    """Whether a record ("ORG/NAME@0123456789ab + adapter@..." or "MODEL at URL") can be the backend's."""
    if backend.base == "openai":
        from geosleuth.tools.vlm.endpoint import versioned

        url = versioned((backend.detail or "").rstrip("/"))
        # What the server says about its weights follows, and how probabilities were had.
        return re.fullmatch(rf"{re.escape(f'{backend.name} at {url}')}( \(.*\))?(; .*)?", recorded) is not None
    parts = [_record(backend, CONFIG), *(_record(one, ADAPTER_CONFIG) for one in backend.adapters)]
    return re.fullmatch(re.escape(" + ").join(parts), recorded) is not None


def _record(part: Backend, config: str) -> str:
    """Pattern of how a part is recorded; any digits will do where they are not known."""
    if part.base == "hf":
        folder = hub_folder(part, config)
        return f"{re.escape(part.name)}@{folder.name[:12] if folder else _DIGEST}"
    return f"{re.escape(Path(part.name).expanduser().resolve().name)}@{_DIGEST}"
