"""The pairs of the claims, and what teachers wrote about them: drone pictures and tiles of invented towns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.adapter_claims.world import PLACES
from geosleuth.training.datasets.university1652 import university1652
from geosleuth.training.gleam_x.lessons import verifier_lessons
from geosleuth.training.gleam_x.pairs import make_pairs
from geosleuth.training.gleam_x.record import PairRecord, Reasons
from geosleuth.training.gleam_x.record_file import read_records
from geosleuth.training.gleam_x.teacher import explain_pairs
from geosleuth.training.lora.lesson import Lessons
from geosleuth.training.towns.language.truth import SceneTruth
from geosleuth.training.towns.teacher.faults import Faults
from geosleuth.training.towns.teacher.pictures import Known
from geosleuth.training.towns.teacher.server import TeacherServer

TAUGHT, ASKED = 700, 150  # pairs
_HELD_OUT = 8  # towns whose number this divides are asked about; University-1652's form teaches even ones
_IMAGINES = Faults(hallucinate=0.3, seed=1)
_SAMPLES = 5
TEACHERS = ("truthful", "raw", "self-consistent", "revised", "not told")


@dataclass(frozen=True)
class PairMaterial:
    """Pairs of taught towns and of others, without explanations."""

    root: Path
    work: Path
    taught: tuple[PairRecord, ...]
    asked: tuple[PairRecord, ...]
    known: Mapping[str, tuple[PairRecord, ...]] = field(default_factory=dict)  # explanations by teacher

    def with_explanations(self, teachers: Iterable[str]) -> PairMaterial:
        """Ask teachers here and now: other processes then need not, and none waits for another's folder."""
        return replace(self, known={teacher: self.explained(teacher) for teacher in teachers})

    def explained(self, teacher: str) -> tuple[PairRecord, ...]:
        """Return the taught pairs as a teacher explained them; asked once and kept.

        Raises:
            InputError: Some could not be explained.
        """
        if teacher in self.known:
            return self.known[teacher]
        if teacher == "revised":
            return tuple(self._revised(record) for record in self.explained("raw"))
        out = self.work / "explained" / teacher
        told, samples = teacher != "not told", _SAMPLES if teacher == "self-consistent" else 1
        faults = Faults() if teacher == "truthful" else _IMAGINES
        with TeacherServer(Known(self.root), faults) as server:
            report = explain_pairs(
                self.taught, self.root, f"openai:towns-rules@{server.url}", out, with_label=told, samples=samples
            )
        if not report.complete:
            found = f"{report.explained} of {report.total} ({report.stopped or 'failures'})"
            raise InputError(f"explanations by the teacher {teacher}", found, "Run the command again.")
        return tuple(read_records(out / "explained.jsonl"))

    def _revised(self, record: PairRecord) -> PairRecord:
        """Strike what is in neither picture, as a reviewer would who sees everything: synthetic, nobody looked."""
        reasons = record.explanation
        if reasons is None:
            return record
        struck = set(_truth(self.root).imagined(record, reasons))
        left: dict[str, object] = {
            name: tuple(line for line in getattr(reasons, name) if line not in struck) for name in _LISTS
        }
        if _truth(self.root).imagined(record, Reasons(agreeing=(reasons.conclusion,), conclusion="-")):
            left["conclusion"] = _PLAIN[record.label, record.lang]
        return record.model_copy(update={"explanation": reasons.model_copy(update=left), "human_revised": True})

    def lessons(self) -> dict[str, Callable[[], Lessons | list[Lessons]]]:
        """Lessons by the name that runs give them."""
        found: dict[str, Callable[[], Lessons | list[Lessons]]] = {
            f"explained: {teacher}": partial(self._lessons, teacher) for teacher in TEACHERS
        }
        found["labels"] = partial(verifier_lessons, self.taught, self.root, explanations=False)
        return found

    def _lessons(self, teacher: str) -> Lessons:
        explained = self.explained(teacher)
        return verifier_lessons(explained, self.root, verdicts="teacher" if teacher == "not told" else "label")


_LISTS = ("agreeing", "disagreeing")
_PLAIN = {
    ("match", "en"): "The two pictures show the same place.",
    ("no_match", "en"): "The two pictures show different places.",
    ("match", "zh"): "两张图是同一个地点。",
    ("no_match", "zh"): "两张图是不同的地点。",
}


@cache
def _truth(root: Path) -> SceneTruth:
    return SceneTruth(root)


def pair_material(towns: Path, work: Path) -> PairMaterial:
    """Draw pairs of a world; wrong tiles are drawn by chance.

    Raises:
        InputError: The world lacks University-1652's form.
    """
    root = towns / "university1652"
    records = make_pairs(university1652(root, "train"), root, encoder=None, languages=("en", "zh"))
    drone = [record for record in records if record.query_view == "drone"]
    taught = [record for record in drone if not any(map(_is_held_out, _towns(record)))]
    asked = [record for record in drone if all(map(_is_held_out, _towns(record)))]
    return PairMaterial(root, work, _first(taught, TAUGHT), _first(asked, ASKED))


def _towns(record: PairRecord) -> tuple[int, ...]:
    return tuple(int(path.split("/")[-2]) // PLACES for path in (record.query_path, record.satellite_path))


def _is_held_out(town: int) -> bool:
    return town % _HELD_OUT == 0


def _first(records: Sequence[PairRecord], pairs: int) -> tuple[PairRecord, ...]:
    """Return all languages of the first pairs, as many matches as others where there are enough of both."""
    half = pairs // 2
    kept = []
    for label in ("match", "no_match"):
        own = list(dict.fromkeys(record.pair_id for record in records if record.label == label))
        kept += own[:half]
    chosen = set(kept)
    return tuple(record for record in records if record.pair_id in chosen)
