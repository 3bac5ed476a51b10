"""GLEAM-X's claims, with a model that starts from nothing (synthetic): labels, explanations, and who wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geosleuth.training.adapter_claims.pair_material import TEACHERS, PairMaterial
from geosleuth.training.adapter_claims.run import Run
from geosleuth.training.evaluate.vlm.run import evaluate_verifier
from geosleuth.training.towns.language.truth import Named, SceneTruth

SEEDS = (1, 2, 3)
STEPS = 200  # of 32 lessons
STAGE = "verdicts"  # name of these adapters


@dataclass(frozen=True)
class PairArm:
    """A row of a table with one seed; no run is the base as it is."""

    table: str
    name: str
    seed: int
    run: Run | None
    explains: bool  # whether it is asked why

    @property
    def lessons(self) -> int:
        """Of its adapter."""
        return self.run.lessons if self.run else 0


def verdicts() -> list[PairArm]:
    """No adapter, labels alone, labels with explanations."""
    arms = [PairArm("verdicts", "no adapter", 0, None, explains=False)]
    for seed in SEEDS:
        labels = Run(STAGE, "labels", STEPS, seed)
        explained = Run(STAGE, "explained: truthful", STEPS, seed)
        arms += [
            PairArm("verdicts", "labels", seed, labels, explains=False),
            PairArm("verdicts", "labels and explanations", seed, explained, explains=True),
        ]
    return arms


def students() -> list[PairArm]:
    """Students of five teachers."""
    return [
        PairArm("students", teacher, 1, Run(STAGE, f"explained: {teacher}", STEPS, 1), explains=True)
        for teacher in TEACHERS
    ]


def verdict_cells(arm: PairArm, base: Path, runs: Path, material: PairMaterial) -> dict[str, float]:
    """Ask an arm's model about the pairs of other towns; percent."""
    record, _ = evaluate_verifier(
        arm.run.spec(base, runs) if arm.run else f"dir:{base}",
        material.asked,
        material.root,
        data="pairs of invented towns",
        out=_made(arm.run.folder(runs) / "asked" if arm.run else runs / "no-adapter-verdicts"),
        explanations=arm.explains,
        similarity="off",
        grounding="towns" if arm.explains else None,
    )
    figures = record.sections[0].columns["all"]
    found = {name: 100 * _number(figures[name].value) for name in _SHARES}
    found["AUC"] = 100 * _number(figures["AUC"].value)
    if arm.explains:
        for section in record.sections:
            for column, values in section.columns.items():
                found |= {f"{name} ({column})": _number(values[name].value) for name in _GROUNDED if name in values}
    return found


def taught_cells(teacher: str, material: PairMaterial) -> dict[str, str]:
    """Count what a teacher's own explanations name that is in neither picture, and how often it judged wrongly."""
    truth, total, records = SceneTruth(material.root), Named(), material.explained(teacher)
    for record in records:
        if record.explanation is not None:
            total += truth.named(record, record.explanation)
    wrong = sum(record.teacher_label not in (None, record.label) for record in records)
    return {
        "pairs": f"{len(records):,}",
        "imagined by the teacher, per explanation": f"{total.imagined / len(records):.2f}",
        "judged wrongly by it": f"{wrong:,}",
    }


_SHARES = ("accuracy", "TPR", "TNR", "yes-rate less base rate", "ECE")
_GROUNDED = ("hallucinated, per explanation", "precision: named and shown")


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
