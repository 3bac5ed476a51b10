"""An evaluation from end to end: a labelled set in, the report of the agent or of a recorded model alone out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from geosleuth.agent.batch.crew import default_workers
from geosleuth.agent.calibration import load_calibration
from geosleuth.agent.settings import Settings
from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.tools.prior import RecordedPredictions
from geosleuth.training.evaluate.agent.observe import observe, truths
from geosleuth.training.evaluate.agent.record import AgentReport, report_of
from geosleuth.training.evaluate.agent.score import bare_prediction, score, unreadable
from geosleuth.training.evaluate.agent.scored import Scored, Truth
from geosleuth.training.evaluate.data_sets.labelled_set import LabelledSet

OnPhase = Callable[[str, int, int], None]  # a phase's name, photos done in it, and photos in all
_AT_ONCE = 512  # photos that are answered between two words of progress: about a minute


def _silent(_: str, __: int, ___: int) -> None:
    """Tell nobody."""


def evaluate_agent(
    data: LabelledSet,
    settings: Settings,
    *,
    root: Path,
    notes: Path,
    without: Collection[str] = (),
    progress: OnPhase | None = None,
) -> AgentReport:
    """Have the agent answer every photo, and measure its answers.

    Args:
        data: The photos.
        settings: Of the agent; photos of the set are taken out of their index.
        root: Of the data set.
        notes: Folder where what tools found is kept: the same run goes on there, and others share it.
        without: Tools left out.
        progress: Told how many photos of how many are done in a phase.

    Raises:
        InputError: Settings or notes that cannot be used, or a tool in `without` that there is not.
    """
    told = progress or _silent
    calibration = load_calibration(settings.calibration)
    observed = observe(
        data.photos, settings, notes, root=root, progress=partial(told, "photos"), without=frozenset(without)
    )
    rows: list[Scored] = []
    for start in range(0, len(observed), _AT_ONCE):
        rows += score(observed[start : start + _AT_ONCE], calibration, processes=default_workers(settings))
        told("answers", len(rows), len(observed))
    labels = [seen.truth for seen in observed]
    recorded = recorded_predictions(settings.backends.prior)
    return report_of(
        rows,
        data.name,
        {**settings.model_dump(mode="json"), "calibration_source": calibration.source, "without": [*sorted(without)]},
        failures=Counter(failure for seen in observed for failure in seen.failures),
        skipped=[(one.path, one.reason) for one in data.skipped],
        notes=[
            *_notes(data, labels, unread=sum(map(unreadable, observed))),
            *_unpredicted(labels, recorded),
            *calibration.notes_on(piece for seen in observed for piece in seen.evidence),
        ],
    )


def evaluate_prior_alone(data: LabelledSet, settings: Settings, *, root: Path) -> AgentReport:
    """Measure what a recorded model said itself, over the same photos.

    Raises:
        InputError: The settings' prior is no file of recorded predictions.
    """
    recorded = recorded_predictions(settings.backends.prior)
    if recorded is None:
        found = f"the prior {settings.backends.prior!r}"
        raise InputError("recorded predictions to judge alone", found, "Name them by --prior file:PATH.csv#MODEL.")
    labels = truths(data.photos, root)
    return report_of(
        bare_prediction(labels, recorded),
        data.name,
        {"backends": {"prior": settings.backends.prior}},
        alone=True,
        skipped=[(one.path, one.reason) for one in data.skipped],
        notes=[*_notes(data, labels), *_unpredicted(labels, recorded)],
    )


def recorded_predictions(spec: str) -> RecordedPredictions | None:
    """Read the file that a prior's spec names; None where it names a model.

    Raises:
        InputError: It cannot be read.
    """
    backend = parse_backend(spec, role="prior")
    return RecordedPredictions.read(backend.name, backend.detail) if backend.base == "file" else None


def _notes(data: LabelledSet, labels: Sequence[Truth], *, unread: int = 0) -> list[str]:
    """What a reader must know beside the figures; `unread` are photos that no tool could look at."""
    counts = (
        ("Photos that were left out when the data set was opened", len(data.skipped)),
        ("Photos without a country, judged by distance alone", sum(one.country is None for one in labels)),
        ("Photos that cannot be read, and count as not answered", unread),
        *data.notes.items(),
    )
    return [f"{what}: {count:,}." for what, count in counts if count]


def _unpredicted(labels: Sequence[Truth], recorded: RecordedPredictions | None) -> list[str]:
    if recorded is None:
        return []
    missing = sum(one.file.rpartition("/")[2] not in recorded.rows for one in labels)
    return [f"Photos of which {recorded.model} has no recorded prediction: {missing:,}."] if missing else []
