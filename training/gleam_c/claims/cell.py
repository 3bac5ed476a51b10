"""One cell of a table: a chain of training runs, and what the last encoder finds in each test set. Resumable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.evaluate.cross_view.measures import Measures
from geosleuth.training.gleam_c.config import DataConfig, GleamCConfig
from geosleuth.training.gleam_c.distributed import Processes
from geosleuth.training.gleam_c.loop import train
from geosleuth.training.gleam_c.shared_encoder import shared_encoder
from geosleuth.training.gleam_c.validation import Validation


@dataclass(frozen=True, eq=False)  # settings hold dicts, and cannot be hashed
class Cell:
    """An arm of a comparison with one seed."""

    table: str
    arm: str
    seed: int
    chain: tuple[GleamCConfig, ...]  # each goes on from the one before; empty is the untrained encoder
    tests: tuple[DataConfig, ...]
    untrained: GleamCConfig | None = None  # of an empty chain: whose encoder

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole chain."""
        return sum(one.max_steps or 0 for one in self.chain)

    @property
    def pairs(self) -> int:
        """Pairs of the whole chain."""
        return sum((one.max_steps or 0) * one.batch_size for one in self.chain)


def runs_of(cells: Sequence[Cell]) -> dict[str, tuple[GleamCConfig, ...]]:
    """Return the different chains, and the beginnings of chains, by key: what several cells share is trained once."""
    return {_key(cell.chain[:n]): cell.chain[:n] for cell in cells for n in range(1, len(cell.chain) + 1)}


def train_chain(chain: tuple[GleamCConfig, ...], work: Path) -> Path:
    """Train the last run of a chain whose beginning is there; a run that is finished is left as it is."""
    folder = work / "runs" / _key(chain)
    if (folder / "encoder").exists() and (folder / "finished").exists():
        return folder
    config = chain[-1]
    if len(chain) > 1:
        before = f"dir:{work / 'runs' / _key(chain[:-1])}"
        config = config.model_copy(update={"model": config.model.model_copy(update={"weights": before})})
    report = train(config, folder)
    (folder / "finished").write_text(json.dumps({"seconds": report.seconds, "pairs": report.pairs}), encoding="utf-8")
    return folder


def measured(cell: Cell, work: Path) -> list[Measures]:
    """Return what the cell's encoder finds in each test set; kept on disk."""
    tests = hashlib.sha256(json.dumps([one.model_dump(mode="json") for one in cell.tests]).encode()).hexdigest()[:8]
    folder = work / "runs" / _key(cell.chain) if cell.chain else work / "untrained" / str(cell.seed)
    path = folder / f"measured-{tests}.json"
    if path.exists():
        return [Measures.model_validate(one) for one in json.loads(path.read_text(encoding="utf-8"))]
    torch = import_torch()
    config = cell.chain[-1] if cell.chain else cell.untrained
    if config is None:
        raise ValueError("an empty chain names the encoder that is not trained")
    torch.manual_seed(cell.seed)
    model = config.model.model_copy(update={"weights": f"dir:{folder}" if cell.chain else "none"})
    encoder = shared_encoder(model, config.input)
    judged = config.model_copy(update={"validation": cell.tests})
    group = Processes(0, 1, torch.device("cpu"))
    found = Validation(judged, group, encoder, config.input.sizes(), amp=False).measure()
    folder.mkdir(parents=True, exist_ok=True)
    with appearing(path) as scratch:
        scratch.write_text(json.dumps([one.model_dump(mode="json") for one in found]), encoding="utf-8")
    return found


def _key(chain: Sequence[GleamCConfig]) -> str:
    said = json.dumps([one.model_dump(mode="json", exclude={"machine", "name"}) for one in chain], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
