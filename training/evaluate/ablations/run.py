"""Queries through tables: a line on the disk for each, so that a run that was ended goes on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from geosleuth.agent.calibration import load_calibration
from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.evaluate.ablations.arm import Ablation, ArmResult
from geosleuth.training.evaluate.ablations.gallery_content import content_sha256
from geosleuth.training.evaluate.ablations.query import Query
from geosleuth.training.evaluate.ablations.setup import Look, Setup
from geosleuth.training.evaluate.agent.source_version import source_version
from geosleuth.training.evaluate.vlm.answer_file import Answered, AnswerFile, answer_key

ROWS_FILE = "rows.jsonl"
# With all that they import: retrieval, verification, the belief; encoders and matchers are loaded by name.
_CODE = (
    "geosleuth.training.evaluate.ablations.run",
    "geosleuth.training.evaluate.ablations.tables",
    "geosleuth.indexes.encoders.load",
    "geosleuth.tools.matching",
)
OnQuery = Callable[[int, int], None]  # queries done, and all


class Outcome(Answered):
    """What all arms of one table made of one query."""

    table: str
    query: str
    place: str
    arms: dict[str, ArmResult]


@dataclass(frozen=True)
class Ran:
    """The outcomes of a run, by table in the order asked for."""

    outcomes: dict[str, list[Outcome]]
    skipped: tuple[Skipped, ...]  # queries that cannot be read


def run(
    tables: Sequence[Ablation],
    queries: Sequence[Query],
    setup: Setup,
    rows: Path | None = None,
    *,
    on_query: OnQuery | None = None,
) -> Ran:
    """Put each query through the tables; what `rows` has of them is not done again.

    Args:
        tables: Which.
        queries: Whose places are known.
        setup: What they are searched in.
        rows: File of the outcomes; None keeps them in memory alone.
        on_query: Told after each query.

    Raises:
        InputError: No query can be read, the prior is missing where a table needs one, or the gallery is unfit.
    """
    check_prior(tables, given=setup.prior is not None)
    for table in tables:
        table.check(setup)
    known = AnswerFile(rows, Outcome)
    named = _named(setup)
    outcomes: dict[str, list[Outcome]] = {table.name: [] for table in tables}
    skipped: list[Skipped] = []
    for done, query in enumerate(queries, start=1):
        try:
            for outcome in _of_query(tables, query, setup, named, known):
                outcomes[outcome.table].append(outcome)
        except _UnreadableError as error:
            skipped.append(Skipped(query.name, str(error)))
        if on_query:
            on_query(done, len(queries))
    if queries and len(skipped) == len(queries):
        why = f"none of {len(queries):,}, the first because: {skipped[0].path}: {skipped[0].reason}"
        raise InputError("photos that can be read", why, "Check --root.")
    return Ran(outcomes, tuple(skipped))


class _UnreadableError(Exception):
    """A photo that cannot be read ends nothing but itself."""


def _of_query(
    tables: Sequence[Ablation], query: Query, setup: Setup, named: str, known: AnswerFile[Outcome]
) -> Iterator[Outcome]:
    try:
        digest = hashlib.sha256(query.path.read_bytes()).hexdigest()
    except OSError as error:
        raise _UnreadableError(error.strerror or str(error)) from error
    look: Look | None = None
    for table in tables:
        known_of = repr((query.position, query.country, query.place, query.twin))
        key = answer_key(named, [digest], table.name, query.name, known_of)
        if key not in known:
            look = look or _opened(setup, query)
            known.add(
                Outcome(key=key, table=table.name, query=query.name, place=query.place, arms=dict(table.run(look)))
            )
        yield known[key]


def _opened(setup: Setup, query: Query) -> Look:
    try:
        look = Look(setup, query)
        _ = look.photo.pixels  # a damaged file is to be told of here, not by some table
    except InputError as error:
        raise _UnreadableError(error.found) from error
    return look


def _named(setup: Setup) -> str:
    """All that decides an outcome beside the query: another gallery or other code asks anew."""
    strategies = " ".join(setup.strategies)
    held = content_sha256(setup.gallery)
    weighed = load_calibration().model_dump_json()
    facts = (f"{name}: {value}" for name, value in setup.facts.items())
    return "\n".join([source_version(*_CODE), held, strategies, weighed, *facts])


def check_prior(tables: Sequence[Ablation], *, given: bool) -> None:
    """See that a prior is there where a table needs one.

    Raises:
        InputError: It is not.
    """
    lacking = [table.name for table in tables if table.needs_prior]
    if lacking and not given:
        remedy = "Name one by --prior: file:PREDICTIONS.csv#MODEL, or simulated."
        raise InputError(f"a prior for the table {', '.join(lacking)}", "none", remedy)


def makeable(tables: Sequence[Ablation], setup: Setup) -> tuple[list[Ablation], list[tuple[str, str]]]:
    """Part the tables that a gallery is fit for from the others: these by name, with the reason."""
    fit: list[Ablation] = []
    left_out: list[tuple[str, str]] = []
    for table in tables:
        try:
            table.check(setup)
        except InputError as error:
            left_out.append((table.name, f"wanted {error.wanted}, found {error.found}"))
        else:
            fit.append(table)
    return fit, left_out
