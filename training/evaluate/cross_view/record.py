"""report.json: the figures of a run with the rank of every query, so that two runs can be compared query by query."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.json_file import read_json
from geosleuth.training.datasets.cross_view import CrossViewSet
from geosleuth.training.evaluate.cross_view.chance import interval_over_places
from geosleuth.training.evaluate.cross_view.evaluate import Evaluation
from geosleuth.training.evaluate.cross_view.measures import ALL, Measures
from geosleuth.training.evaluate.cross_view.ranks import NOT_FOUND

REPORT_FILE = "report.json"
_REMEDY = "Name the report.json that `geosleuth evaluate retrieval --out FOLDER` wrote."


class RunRecord(BaseModel):
    """The content of report.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    encoder: str
    weights_sha256: str
    set_sha256: str
    """Of the names of all pictures: only runs over the same queries and gallery can be compared."""
    measures: Measures
    ranks: tuple[int | None, ...]
    """Of each query, from 0; None where the true reference was not found at all."""
    unreadable: tuple[tuple[str, str], ...] = ()
    """Pictures that could not be read, and why."""
    made_at: str
    version: str


class Difference(BaseModel):
    """recall@1 of this run minus that of another, over the same queries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modality: str
    queries: int
    this: float
    other: float
    difference: float
    interval: tuple[float, float]
    """95 %, paired bootstrap over places."""
    gained: int
    """Queries that only this run answers right."""
    lost: int


def record_of(evaluation: Evaluation) -> RunRecord:
    """Put an evaluation into the form of report.json."""
    return RunRecord(
        encoder=evaluation.encoder,
        weights_sha256=evaluation.weights_sha256,
        set_sha256=set_sha256(evaluation.data),
        measures=evaluation.measures,
        ranks=tuple(None if rank == NOT_FOUND else int(rank) for rank in evaluation.ranks.ranks),
        unreadable=tuple((one.path, one.reason) for one in evaluation.unreadable),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=version("geosleuth"),
    )


def read_record(path: Path) -> RunRecord:
    """Read report.json, or that of a report's folder.

    Raises:
        InputError: It is missing or something else.
    """
    path = path / REPORT_FILE if path.is_dir() else path
    return read_json(path, RunRecord, "the report of another run to compare with", _REMEDY)


def set_sha256(data: CrossViewSet) -> str:
    """Hash which pictures are asked and searched, by the last two parts of their paths: roots differ by machine."""
    digest = hashlib.sha256()
    for pictures in (data.queries, data.references):
        digest.update(f"{len(pictures)}\n".encode())
        for path, place in zip(pictures.paths, pictures.places, strict=True):
            digest.update(f"{'/'.join(PurePath(path).parts[-2:])}\t{place}\n".encode(errors="surrogatepass"))
    return digest.hexdigest()


def differences(evaluation: Evaluation, other: RunRecord) -> list[Difference]:
    """Compare recall@1 with another run, for all queries and each modality.

    Raises:
        InputError: It is a run over other pictures.
    """
    data = evaluation.data
    if other.set_sha256 != set_sha256(data) or len(other.ranks) != len(data.queries):
        theirs = f"{other.measures.set} {other.measures.split}, {len(other.ranks):,} queries"
        wanted = f"a report on the same pictures ({data.name} {data.split}, {len(data.queries):,} queries)"
        remedy = "Evaluate both encoders with the same --data, --root, --split and --limit."
        raise InputError(wanted, f"one on {theirs}", remedy)
    here = evaluation.ranks.ranks < 1
    there = np.array([rank == 0 for rank in other.ranks])
    groups: Iterable[tuple[str, NDArray[np.bool_]]] = [
        (ALL, np.ones(len(here), dtype=bool)),
        *((kind.name, data.queries.modality == i) for i, kind in enumerate(data.queries.modalities)),
    ]
    return [
        _difference(name, here[some], there[some], data.queries.places[some]) for name, some in groups if some.any()
    ]


def _difference(
    name: str, here: NDArray[np.bool_], there: NDArray[np.bool_], places: Sequence[int] | NDArray[np.int64]
) -> Difference:
    change = here.astype(np.int64) - there
    return Difference(
        modality=name,
        queries=len(here),
        this=float(here.mean()),
        other=float(there.mean()),
        difference=float(change.mean()),
        interval=interval_over_places(change, places),
        gained=int((change > 0).sum()),
        lost=int((change < 0).sum()),
    )
