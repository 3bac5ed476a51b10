"""GeoReasoner's ablation and its threshold, with a model that starts from nothing (synthetic)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geosleuth.training.adapter_claims.geo_material import PAPERS, THRESHOLDS, GeoMaterial, some
from geosleuth.training.adapter_claims.run import Run
from geosleuth.training.evaluate.vlm.answer_file import AnswerFile
from geosleuth.training.evaluate.vlm.intervals import Statistic
from geosleuth.training.evaluate.vlm.prior import PriorAnswer, ask_views
from geosleuth.training.evaluate.vlm.prior_measures import held_out_statistics, prior_statistics
from geosleuth.training.evaluate.vlm.prior_rows import PriorRow, prior_rows

SEEDS = (1, 2, 3)
REASONING_STEPS, LOCATION_STEPS = 150, 450  # of 32 lessons
ASKED = 100  # views of each kind: a share of a tenth is known to 3 points


@dataclass(frozen=True)
class Arm:
    """A row of a table with one seed; no run is the base as it is."""

    table: str
    name: str
    seed: int
    run: Run | None
    views: int = 0  # that it was taught with

    @property
    def lessons(self) -> int:
        """Of all its adapters."""
        return sum(one.lessons for one in self.run.below) if self.run else 0


def ablation(material: GeoMaterial) -> list[Arm]:
    """The paper's: no adapter, one, both, and both lessons in one adapter.

    In one stage lessons are drawn by their number: 400 reasoned ones among some 1,700 are nearly the share of reasons
    that the two stages have, a quarter.
    """
    kept = len(material.kept(PAPERS))
    arms = [Arm("ablation", "no adapter (floor)", 0, None, 0)]
    for seed in SEEDS:
        reasoning = Run("reasoning", "reasoned", REASONING_STEPS, seed)
        located = f"located above {PAPERS:g}"
        steps = REASONING_STEPS + LOCATION_STEPS
        arms += [
            Arm("ablation", "reasoning only", seed, reasoning, len(material.reasoned_kept())),
            Arm("ablation", "location only", seed, Run("location", located, LOCATION_STEPS, seed), kept),
            Arm(
                "ablation",
                "reasoning, then location",
                seed,
                Run("location", located, LOCATION_STEPS, seed, reasoning),
                kept,
            ),
            Arm("ablation", "both in one stage", seed, Run("both", "both", steps, seed), kept),
        ]
    return arms


def thresholds(material: GeoMaterial) -> list[Arm]:
    """Location alone, on what each threshold leaves; equal steps."""
    return [
        Arm("thresholds", name, 1, Run("location", f"located {name}", LOCATION_STEPS, 1), len(material.kept(one)))
        for one, name in ((one, f"above {one:g}") for one in THRESHOLDS)
    ]


def asked(arm: Arm, base: Path, runs: Path, material: GeoMaterial) -> list[list[PriorRow]]:
    """Ask an arm's model about the three kinds of views; answers are kept."""
    from geosleuth.tools.vlm.load import load_vlm

    folder = arm.run.folder(runs) if arm.run else runs / "no-adapter"
    folder.mkdir(parents=True, exist_ok=True)
    model = load_vlm(arm.run.spec(base, runs) if arm.run else f"dir:{base}")
    answers = AnswerFile(folder / "prior_answers.jsonl", PriorAnswer)
    kinds = (material.same_towns, material.held_out_towns, material.held_out_countries)
    return [
        prior_rows(ask_views(some(views, ASKED), model, answers), material.seen_countries if i == 2 else None)
        for i, views in enumerate(kinds)
    ]


def cells(rows: Sequence[Sequence[PriorRow]]) -> dict[str, float]:
    """Return an arm's figures by column; shares are percent."""
    same, towns, _ = rows
    return {
        "city, other views of taught towns": 100 * _value(same, prior_statistics(same), "city: accuracy, all"),
        "country, the same views": 100 * _value(same, prior_statistics(same), "country: accuracy, all"),
        "country, other towns": 100 * _value(towns, prior_statistics(towns), "country: accuracy, all"),
        "answered": 100 * _value(towns, prior_statistics(towns), "country: answer rate"),
        "likeliest country, other towns": 100 * _value(towns, prior_statistics(towns), "likeliest country: accuracy"),
    }


def unseen_cells(rows: Sequence[Sequence[PriorRow]]) -> dict[str, float]:
    """Return an arm's figures on countries that were not taught."""
    unseen = rows[2]
    found = held_out_statistics(unseen)
    return {
        "answered": 100 * _value(unseen, found, "answer rate"),
        "90 % set holds the country": 100 * _value(unseen, found, "90 % set holds the country"),
        "countries in that set, median": _value(unseen, found, "countries in the 90 % set, median"),
        "km to the country named, median": _value(unseen, found, "km to the country named, median"),
        "km to the nearest country taught, median": _value(unseen, found, "km to the nearest country seen, median"),
    }


def _value(rows: Sequence[PriorRow], statistics: Mapping[str, Statistic], name: str) -> float:
    if name not in statistics:
        return float("nan")
    return float(statistics[name](np.ones((1, len(rows))))[0])
