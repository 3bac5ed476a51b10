"""How small may a verifier be? The full one beside itself in 8 and 4 bits and a student of half its layers (synthetic).

GLEAM-X's paper asks for an explanation in under a second that is alike to the full model's by more than 0.8
(arXiv 2509.07450, its outlook); seconds here are a core's, and models are small, so that what is told is the ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.lock import locked
from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.tools.vlm.quantised import PACKAGES, check_bits
from geosleuth.training.adapter_claims.page import Cells, table
from geosleuth.training.adapter_claims.pair_material import pair_material
from geosleuth.training.adapter_claims.pair_tables import STAGE, STEPS
from geosleuth.training.adapter_claims.run import Run
from geosleuth.training.adapter_claims.small_asked import Footprint, Small, TimedAnswer, ask_small
from geosleuth.training.adapter_claims.small_student import STUDENT_STEPS, distilled
from geosleuth.training.adapter_claims.world import TOWNS
from geosleuth.training.evaluate.vlm.explanations import text_of
from geosleuth.training.evaluate.vlm.intervals import auc
from geosleuth.training.evaluate.vlm.text_similarity import SHIPPED, load_similarity, similarities

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Language
    from geosleuth.training.gleam_x.record import PairRecord
    from geosleuth.training.locatability.text_encoder import TextEncoder

EXPLAINED = 40  # pairs, each in two languages; verdicts are of all
WANTED = 0.8  # similarity, in the paper's open question
FULL = "full"
VERIFIER = Run(STAGE, "explained: truthful", STEPS, 1)  # the full one
Encoders = Mapping["Language", "TextEncoder"]


def small_verifiers_section(work: Path, base: Path, runs: Path) -> str:
    """Make the student, ask all verifiers, and write the table; what is done is kept in the folder of the runs.

    Args:
        work: Folder of the towns.
        base: Folder of the base.
        runs: Folder of the runs, with the verifier that was taught labels and explanations.

    Raises:
        InputError: That verifier or a package is missing, or another process makes this table.
    """
    run = VERIFIER
    adapter = run.folder(runs) / run.name
    if not adapter.is_dir():
        raise InputError("a taught verifier", f"nothing at {adapter}", "Train it: make the table verdicts.")
    for bits in PACKAGES:
        check_bits(bits)  # before the minutes of teaching
    material = pair_material(work / TOWNS, work)
    out = runs / "small"
    out.mkdir(exist_ok=True)
    full = run.spec(base, runs)
    records, explained = asked_of(material.asked, EXPLAINED)
    with (
        locked(out, f"the folder {out} for this process alone", "another that asks small verifiers now"),
        # A process for each: peaks of memory are a process's own.
        ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_on_one_core, max_tasks_per_child=1
        ) as pool,
    ):
        student = pool.submit(distilled, full, material.taught, material.root, out / f"student-{run.key()}").result()
        smaller = (Small("8 bits", full, 8), Small("4 bits", full, 4), Small("student", f"dir:{student}"))
        asked = {
            one.name: pool.submit(
                ask_small, one, records, explained, material.root, out / f"asked-{run.key()}" / one.name
            )
            for one in (Small(FULL, full), *smaller)
        }
        found = {name: one.result() for name, one in asked.items()}
    encoders = {lang: load_similarity(SHIPPED, lang) for lang in dict.fromkeys(record.lang for record in records)}
    return section(records, found, encoders, taught=len(material.taught))


def _on_one_core() -> None:
    import_vlm("torch").set_num_threads(1)  # a core's seconds can be compared, however busy the others are


def asked_of(records: Sequence[PairRecord], pairs: int) -> tuple[list[PairRecord], frozenset[str]]:
    """Choose what is asked: every pair's verdict once, and of so many, drawn by chance, why in each language."""
    names = list(dict.fromkeys(record.pair_id for record in records))
    drawn = np.random.default_rng(0).permutation(len(names))[:pairs]
    explained = frozenset(names[i] for i in drawn)
    first = {record.pair_id: record for record in reversed(records)}
    kept = [record for record in records if record.pair_id in explained or record is first[record.pair_id]]
    return kept, explained


def section(
    records: Sequence[PairRecord],
    found: Mapping[str, tuple[Sequence[TimedAnswer], Footprint]],
    encoders: Encoders,
    *,
    taught: int,
) -> str:
    """Write the section.

    Args:
        records: What was asked, in the order of the answers.
        found: Answers and footprint by the verifier's name; the full one is among them.
        encoders: What judges the similarity, by language.
        taught: Records whose answers the student learned.
    """
    full = found[FULL][0]
    rows = {name: [cells(records, answers, footprint, full, encoders)] for name, (answers, footprint) in found.items()}
    floor = ", ".join(f"{chance_similarity(records, full, lang, encoders[lang]):.2f} ({lang})" for lang in encoders)
    pairs = len({record.pair_id for record in records})
    explained = sum(answer.text is not None for answer in full)
    asked = (
        f"A verifier with its weights in 8 and 4 bits, and a student of half its layers that learned from its answers: "
        f"{pairs:,} verdicts and {explained:,} explanations about towns that were not taught (synthetic, one seed). "
        "Seconds are of one CPU core, the median, without decoding; the process's memory holds the libraries too.\n"
    )
    how = (
        "Similarity is of an explanation to the full verifier's about the same pair in the same language, each for its "
        f"own verdict. The full one's explanations of other pairs are alike by {floor}: what is above that is about "
        f"the pair. 8 bits: {PACKAGES[8]}, a scale a row; 4 bits: {PACKAGES[4]}, NF4. Adapters, embeddings and what is "
        "computed stay in float32, so that a small model shrinks by less than a large one does. The student: "
        f"{STUDENT_STEPS:,} steps of 32 of {taught:,} answers about taught towns, no labels. Nothing here says what a "
        "model of 3 billion parameters takes, or a GPU.\n"
    )
    made = f"`python -m geosleuth.training.adapter_claims small`; {datetime.now(UTC):%Y-%m-%d}, one thread.\n"
    return "\n".join(["## Small\n", asked, table(rows, {}), how, made])


def cells(
    records: Sequence[PairRecord],
    answers: Sequence[TimedAnswer],
    footprint: Footprint,
    full: Sequence[TimedAnswer],
    encoders: Encoders,
) -> Cells:
    """Return the figures of one verifier; shares are percent."""
    once = list({record.pair_id: i for i, record in reversed(list(enumerate(records)))}.values())
    match = np.array([records[i].label == "match" for i in once])
    said = np.array([answers[i].verdict == "match" for i in once])
    wanted = np.array([full[i].verdict == "match" for i in once])
    explained = [i for i, answer in enumerate(answers) if answer.text is not None]
    found = {
        "weights, MB": footprint.weight_bytes / 1e6,
        "process's peak, MB": float("nan") if footprint.peak_bytes is None else footprint.peak_bytes / 1e6,
        "a verdict, s": float(np.median([answer.verdict_s for answer in answers])),
        "with why, s": float(np.median([answers[i].verdict_s + answers[i].reasons_s for i in explained])),
        "tokens of why": float(np.median([answers[i].tokens for i in explained])),
        "JSON valid": 100 * float(np.mean([answers[i].written is not None for i in explained])),
        "verdicts as the full one's": 100 * float((said == wanted).mean()),
        "accuracy": 100 * float((said == match).mean()),
        "AUC": 100 * float(auc([answers[i].logit for i in once], match)(np.ones((1, len(once))))[0]),
    }
    for lang, encoder in encoders.items():
        own = [i for i in explained if records[i].lang == lang]
        alike = _alike(encoder, [(answers[i], full[i]) for i in own])
        found[f"similarity ({lang})"] = float(alike.mean()) if len(alike) else float("nan")
        found[f"above {WANTED} ({lang})"] = 100 * float((alike > WANTED).mean()) if len(alike) else float("nan")
    return found


def chance_similarity(
    records: Sequence[PairRecord], full: Sequence[TimedAnswer], lang: Language, encoder: TextEncoder
) -> float:
    """How alike explanations of different pairs are: each with the one that follows in the order of the records."""
    own = [answer for record, answer in zip(records, full, strict=True) if record.lang == lang and answer.text]
    return float(_alike(encoder, list(zip(own, [*own[1:], *own[:1]], strict=True))).mean())


def _alike(encoder: TextEncoder, pairs: Sequence[tuple[TimedAnswer, TimedAnswer]]) -> NDArray[np.float64]:
    """Cosine of each two explanations that can both be read."""
    read = [(one.written, other.written) for one, other in pairs]
    return similarities(encoder, [(text_of(one), text_of(other)) for one, other in read if one and other])
