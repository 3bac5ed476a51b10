"""What a vision-language model makes of the candidates of labelled photos: reranking before and after, and verdicts.

Each photo is searched in an index, and never finds itself. A candidate is right where it lies within some metres of the
photo, a tile where the photo lies in the circle that fits into it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.indexes.photo import open_photo
from geosleuth.tools.comparison_prompts import Strategy
from geosleuth.tools.gleam_x import match_logits
from geosleuth.tools.rerank_gate import FEWEST, GateFile, measured_gate
from geosleuth.tools.reranking_strategies import AMONG, gallery_pictures, readable, rerank_with
from geosleuth.tools.retrieval import retrieve
from geosleuth.training.evaluate.labelled import LabelledPhoto

if TYPE_CHECKING:
    from geosleuth.indexes.encoders.encoder import Encoder
    from geosleuth.indexes.gallery.gallery import Gallery
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.candidate import Candidate
    from geosleuth.tools.vlm.load import SharedModel

logger = logging.getLogger(__name__)

WITHIN_M = 25.0  # a reference this near is right: the middle of the field's radii for street views


@dataclass(frozen=True)
class Case:
    """A labelled photo and what retrieval found for it."""

    photo: Photo
    candidates: tuple[Candidate, ...]
    right: frozenset[str]  # ids of the candidates that lie near the photo


@dataclass(frozen=True)
class VerdictRates:
    """How often a judge says yes, to pairs of one place and of two; shares are NaN where there are no such pairs."""

    matches: int
    others: int
    yes_to_matches: int
    yes_to_others: int

    @property
    def tpr(self) -> float:
        """Share of the pairs of one place that it says yes to."""
        return self.yes_to_matches / self.matches if self.matches else float("nan")

    @property
    def tnr(self) -> float:
        """Share of the pairs of two places that it says no to."""
        return 1.0 - self.yes_to_others / self.others if self.others else float("nan")

    @property
    def bias(self) -> float:
        """Share of yes less the share of matches: below 0 it leans to no, as untrained models do (arXiv 2509.07450)."""
        total = self.matches + self.others
        return (self.yes_to_matches + self.yes_to_others - self.matches) / total if total else float("nan")


def verdict_rates(yes: Sequence[bool], labels: Sequence[bool]) -> VerdictRates:
    """Count what a judge said of labelled pairs."""
    said, true = np.asarray(yes, dtype=bool), np.asarray(labels, dtype=bool)
    return VerdictRates(int(true.sum()), int((~true).sum()), int((said & true).sum()), int((said & ~true).sum()))


def cases(
    photos: Sequence[LabelledPhoto], gallery: Gallery, encoder: Encoder, *, within_m: float, among: int = AMONG
) -> Iterator[Case]:
    """Search each photo in the gallery, itself left out; one at a time, since pictures of all would fill the memory."""
    for labelled in photos:
        photo = open_photo(labelled.path)
        found = retrieve(photo, gallery, encoder, k=among, exclude_sha256=[photo.sha256]).candidates
        right = (one.reference_id for one in found if _metres(one, labelled) <= _reach_m(one, within_m))
        yield Case(photo, found, frozenset(right))


def _reach_m(candidate: Candidate, within_m: float) -> float:
    return max(within_m, (candidate.extent_m or 0.0) / 2.0)


def _metres(candidate: Candidate, labelled: LabelledPhoto) -> float:
    return 1000.0 * geodesic_km(LatLon(candidate.lat, candidate.lon), labelled.position)


def first_right(candidates: Sequence[Candidate], right: frozenset[str]) -> int | None:
    """Rank of the first right candidate, from 1; None where none is."""
    return next((rank for rank, one in enumerate(candidates, start=1) if one.reference_id in right), None)


def measure_gate(
    found: Iterable[Case], model: SharedModel, gallery: Gallery, strategy: Strategy, *, sample: str, date: str
) -> GateFile:
    """Rerank each case and compare the ranks of the right ones; as the agent does it, early stop included."""
    pictures = gallery_pictures(gallery)
    before, after, failures = [], [], 0
    for number, case in enumerate(found, start=1):
        reranked = rerank_with(model.for_photo(), case.photo, case.candidates, pictures, strategy)
        before.append(first_right(case.candidates, case.right))
        after.append(first_right(reranked.candidates, case.right))
        failures += reranked.failures
        logger.info("Photo %d: rank %s -> %s", number, before[-1], after[-1])
    return measured_gate(
        before,
        after,
        strategy=strategy,
        weights=model.weights,
        sample=sample,
        date=date,
        among=AMONG,
        failures=failures,
    )


def pair_logits(found: Iterable[Case], model: SharedModel, gallery: Gallery) -> tuple[list[float], list[bool]]:
    """Ln P(yes) / P(no) of every candidate, and whether it is right; those without an answer are left out and told."""
    logits: list[float] = []
    labels: list[bool] = []
    asked = 0
    for case in found:
        shown = readable(case.candidates, gallery_pictures(gallery))
        asked += len(case.candidates)
        values = match_logits(model.for_photo(), case.photo, shown)
        known = [(v, one.reference_id in case.right) for v, (one, _) in zip(values, shown, strict=True) if v == v]
        logits += [value for value, _ in known]
        labels += [right for _, right in known]
    if len(logits) < asked:
        logger.warning("%d of %d pairs got no answer and are left out", asked - len(logits), asked)
    return logits, labels


def gate_lines(gate: GateFile) -> str:
    """The figures of a gate for people."""
    few = f"; {FEWEST} are needed before the gate counts" if gate.found < FEWEST else ""
    return (
        f"{gate.strategy} by {gate.weights}\n"
        f"{gate.queries} photos, {gate.found} with a right reference among {gate.among} candidates{few}\n"
        f"R@1 {gate.first_before} -> {gate.first_after} "
        f"({gate.gained} gained, {gate.lost} lost; exact McNemar p = {gate.p_first:.3g})\n"
        f"mean reciprocal rank {gate.reciprocal_before:.3f} -> {gate.reciprocal_after:.3f} "
        f"({gate.better} better, {gate.worse} worse; sign test p = {gate.p_rank:.3g})\n"
        f"{gate.failures} failures; verdict: {gate.verdict}\n"
    )


def rates_line(name: str, rates: VerdictRates) -> str:
    """TPR, TNR and bias with their counts."""
    return (
        f"{name}: TPR {rates.tpr:.3f} ({rates.yes_to_matches} of {rates.matches}), "
        f"TNR {rates.tnr:.3f} ({rates.others - rates.yes_to_others} of {rates.others}), "
        f"yes-rate less base rate {rates.bias:+.3f}\n"
    )
