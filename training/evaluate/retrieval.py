"""Retrieval, verification and reranking on labelled photos of a few places, each left out of the gallery in turn.

Beside chance; with distractors, which are never queries. Intervals are of the mean over queries; those of one walk are
no independent witnesses, so the truth is less sure than they say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.geodesy import Floats, LatLon, distance_km, from_unit_vectors, unit_vectors
from geosleuth.indexes.photo import open_photo
from geosleuth.tools.candidate import Candidate, Verification
from geosleuth.tools.pairwise import Comparisons, InlierJudge, select_best
from geosleuth.tools.reranking import rerank
from geosleuth.training.evaluate.labelled import LabelledPhoto
from geosleuth.training.evaluate.recall import KS, WITHIN_M, Order, chance, distances_m, found
from geosleuth.training.evaluate.scores import interval

_DEPTH = 100  # candidates that reranking sees, as in the agent
_VERIFIED = 20  # candidates that verification looks at: the default of tools/verification.py
_PRIOR_KM = 25.0  # how far the simulated prior is off where it is right: the field's "city"
_RIGHT = 0.9  # share of the simulated belief around its point; the rest is anywhere

Verdicts = Mapping[tuple[int, int], tuple[bool, int]]


@dataclass(frozen=True)
class Retriever:
    """A way to turn photos into vectors, with the vectors; None where its weights are not here, and `note` says why."""

    name: str
    vectors: NDArray[np.float32] | None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Places:
    """Photos of the queries' places first, then distractors."""

    photos: Sequence[LabelledPhoto]
    queries: int

    @cached_property
    def metres(self) -> Floats:
        """(queries, photos) geodesic distances."""
        return distances_m([p.position for p in self.photos[: self.queries]], [p.position for p in self.photos])

    @cached_property
    def eligible(self) -> NDArray[np.bool_]:
        """(queries, photos) what a query may find: not itself."""
        return ~np.eye(self.queries, len(self.photos), dtype=bool)

    def first(self, count: int) -> Places:
        """The same queries in a gallery of the first `count` photos."""
        return Places(self.photos[:count], self.queries)


def recall_rows(places: Places, retrievers: Sequence[Retriever], verdicts: Verdicts) -> Iterator[list[str]]:
    """Rows of the table of recall: retriever, what was done, recall at each k and radius."""
    near = np.where(places.eligible, places.metres, np.inf).min(axis=1)
    yield ["best possible", "-", *_cells(lambda _, m: near <= m, exact=True)]
    yield ["chance", "-", *_cells(lambda k, m: chance(places.eligible, places.metres, k, m), exact=True)]
    for retriever in retrievers:
        if retriever.vectors is None:
            yield [retriever.name, retriever.note, *["-"] * (len(KS) * len(WITHIN_M))]
            continue
        candidates = candidates_of(places, retriever.vectors, verdicts)
        for name, order in STAGES.items():
            orders = [order(places, query, listed) for query, listed in enumerate(candidates)]
            yield [retriever.name, name, *_cells(lambda k, m, o=orders: found(o, places.metres, k, m))]  # type: ignore[misc]


def _cells(of: Callable[[int, float], NDArray[np.generic]], *, exact: bool = False) -> list[str]:
    cells = []
    for k in KS:
        for within in WITHIN_M:
            values = [float(v) for v in of(k, within).tolist()]
            low, high = interval(values)
            cells.append(f"{100 * np.mean(values):.0f} %" + ("" if exact else f" [{100 * low:.0f}, {100 * high:.0f}]"))
    return cells


def candidates_of(places: Places, vectors: NDArray[np.float32], verdicts: Verdicts) -> list[tuple[Candidate, ...]]:
    """The most similar photos of each query, with their verdicts; `reference_id` is the photo's number."""
    similarity = np.where(places.eligible, vectors[: places.queries] @ vectors[: len(places.photos)].T, -np.inf)
    out = []
    for query, row in enumerate(similarity):
        order = [int(i) for i in np.argsort(-row, kind="stable") if np.isfinite(row[i])][:_DEPTH]
        listed = [_candidate(places.photos[i], i, rank, float(row[i])) for rank, i in enumerate(order, start=1)]
        out.append(tuple(one.model_copy(update={"verification": _verdict(verdicts, query, one)}) for one in listed))
    return out


def _candidate(photo: LabelledPhoto, number: int, rank: int, similarity: float) -> Candidate:
    return Candidate(
        rank=rank,
        reference_id=str(number),
        uri=photo.path.name,
        lat=photo.position.lat,
        lon=photo.position.lon,
        view="ground",
        similarity=similarity,
        score=similarity,
    )


def _verdict(verdicts: Verdicts, query: int, candidate: Candidate) -> Verification | None:
    known = verdicts.get((query, int(candidate.reference_id)))
    if known is None:
        return None
    accepted, inliers = known
    return Verification(
        verdict="match" if accepted else "no_match", reason="of pair_verdicts", matcher="embedded", inliers=inliers
    )


def _by_similarity(_: Places, __: int, listed: tuple[Candidate, ...]) -> Order:
    return _numbers(listed)


def _verified_first(_: Places, __: int, listed: tuple[Candidate, ...]) -> Order:
    """Of the first twenty the accepted ones by their inliers, then the others as they were."""
    return _numbers((*sorted(listed[:_VERIFIED], key=lambda one: -_accepted_inliers(one)), *listed[_VERIFIED:]))


def _accepted_inliers(one: Candidate) -> int:
    return one.verification.inliers if one.verification and one.verification.verdict == "match" else 0


def _pairwise(places: Places, query: int, listed: tuple[Candidate, ...]) -> Order:
    comparisons = Comparisons(open_photo(places.photos[query].path), InlierJudge())
    best = select_best(listed[:_VERIFIED], comparisons)
    return _numbers((*best, *listed[_VERIFIED:]))


def _reranked(
    mode: str, *, right: bool, verified: bool = False
) -> Callable[[Places, int, tuple[Candidate, ...]], Order]:
    def order(places: Places, query: int, listed: tuple[Candidate, ...]) -> Order:
        point = simulated_prior(places, query, right=right)
        if mode == "point":
            ranked = rerank(listed, "point", point=point)
        else:
            ranked = rerank(listed, "belief", log_density=simulated_belief(point))
        return _verified_first(places, query, ranked) if verified else _numbers(ranked)

    return order


def _numbers(listed: Sequence[Candidate]) -> Order:
    return np.array([int(one.reference_id) for one in listed], dtype=np.intp)


STAGES: dict[str, Callable[[Places, int, tuple[Candidate, ...]], Order]] = {
    "by similarity": _by_similarity,
    "verified first": _verified_first,
    "pairwise, best three": _pairwise,
    "reranked by a point, right": _reranked("point", right=True),
    "reranked by a point, wrong": _reranked("point", right=False),
    "reranked by a belief, right": _reranked("belief", right=True),
    "reranked by a belief, wrong": _reranked("belief", right=False),
    "reranked by a belief, wrong, then verified": _reranked("belief", right=False, verified=True),
}


# Orders whose first twenty a stage verifies.
_VERIFIED_ORDERS = ("by similarity", "reranked by a belief, wrong")


def pairs_to_verify(places: Places, retrievers: Sequence[Retriever]) -> set[tuple[int, int]]:
    """Pairs (query, photo) whose verdicts the rows of recall need, and all pairs of queries."""
    pairs = {(a, b) for a in range(places.queries) for b in range(places.queries) if a != b}
    for retriever in retrievers:
        if retriever.vectors is None:
            continue
        for query, listed in enumerate(candidates_of(places, retriever.vectors, {})):
            for name in _VERIFIED_ORDERS:
                pairs |= {(query, int(number)) for number in STAGES[name](places, query, listed)[:_VERIFIED]}
    return pairs


def simulated_prior(places: Places, query: int, *, right: bool) -> LatLon:
    """A point as a model might guess it: 25 km off in a direction drawn for the query, or the place of another photo.

    A wrong one lies where the gallery has photos, since only there can it do harm.
    """
    rng = np.random.default_rng(query)
    truth = places.photos[query].position
    if not right:
        far = [p.position for p in places.photos if _km(p.position, truth) > 4 * _PRIOR_KM]
        return far[int(rng.integers(len(far)))] if far else LatLon(-truth.lat, truth.lon)
    here = unit_vectors(truth.lat, truth.lon)
    sideways = np.cross(here, rng.normal(size=3))
    moved = here + sideways / np.linalg.norm(sideways) * np.tan(_PRIOR_KM / 6371.0)
    lat, lon = from_unit_vectors(moved)
    return LatLon(float(lat), float(lon))


def simulated_belief(point: LatLon) -> Callable[[Floats, Floats], Floats]:
    """Ln of the probability per km2 of a Gaussian of 25 km around a point, over a tenth spread over the Earth."""

    def log_density(lats: Floats, lons: Floats) -> Floats:
        squared = (distance_km(lats, lons, point.lat, point.lon) / _PRIOR_KM) ** 2
        peak = _RIGHT * np.exp(-squared / 2) / (2 * np.pi * _PRIOR_KM**2)
        return np.asarray(np.log(peak + (1 - _RIGHT) / 5.1e8))

    return log_density


def _km(a: LatLon, b: LatLon) -> float:
    return float(distance_km(a.lat, a.lon, b.lat, b.lon))
