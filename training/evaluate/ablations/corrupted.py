"""Priors corrupted on purpose: how far each way of using one falls when it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from geosleuth.tools.reranking import rerank
from geosleuth.tools.submap_cells import nearest_cells
from geosleuth.training.evaluate.ablations.arm import Ablation, ArmResult, Results, recall
from geosleuth.training.evaluate.ablations.prior import (
    Opinion,
    check_countries,
    exact,
    opinion_of,
    query_rng,
    shifted,
    uniform,
    wrong_country,
)
from geosleuth.training.evaluate.ablations.submaps import first_countries, held_countries

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Candidate
    from geosleuth.training.evaluate.ablations.setup import Look, Setup

SHIFTS_KM = (500, 1000, 2000, 5000)
_CELLS = 100  # the paper's K
NO_PRIOR = "no prior: similarity alone"


def run(look: Look) -> Results:
    """Use every corruption in every way."""
    results = {NO_PRIOR: ArmResult(values=recall(look, look.found))}
    for corruption, opinion in _opinions(look):
        for way, candidates in WAYS.items():
            results[f"{corruption}: {way}"] = ArmResult(values=recall(look, candidates(look, opinion)))
    return results


def _opinions(look: Look) -> Iterator[tuple[str, Opinion]]:
    query, seed = look.query, look.setup.seed
    yield "as given", look.opinion
    yield "the truth", opinion_of(exact(query))
    yield "another country", opinion_of(wrong_country(query, look.setup.ground, query_rng(query, seed, "wrong")))
    for km in SHIFTS_KM:
        yield f"{km:,} km off", opinion_of(shifted(query, km, query_rng(query, seed, f"shift {km}")))
    yield "uniform", uniform(query_rng(query, seed, "uniform"))


def _top_country(look: Look, opinion: Opinion) -> tuple[Candidate, ...]:
    return look.search(first_countries(opinion, 1, look.setup.buffer_km)).candidates


def _countries(look: Look, opinion: Opinion) -> tuple[Candidate, ...]:
    return look.search(held_countries(opinion, look.setup.buffer_km)).candidates


def _cells(look: Look, opinion: Opinion) -> tuple[Candidate, ...]:
    return look.search(nearest_cells(look.setup.cells(_CELLS), opinion.point)).candidates


def _point(look: Look, opinion: Opinion) -> tuple[Candidate, ...]:
    return rerank(look.found, "point", point=opinion.point)


def _belief(look: Look, opinion: Opinion) -> tuple[Candidate, ...]:
    return rerank(look.found, "belief", log_density=opinion.log_density)


def _paper(look: Look, opinion: Opinion) -> tuple[Candidate, ...]:
    return rerank(_cells(look, opinion), "point", point=opinion.point)


WAYS: dict[str, Callable[[Look, Opinion], tuple[Candidate, ...]]] = {
    "likeliest country": _top_country,
    "countries of 95 %": _countries,
    f"3 cells of {_CELLS}": _cells,
    "reranked by the point": _point,
    "reranked by the belief": _belief,
    "cells, then the point (the paper)": _paper,
}


def _check(setup: Setup) -> None:
    check_countries(setup.ground)


TABLE = Ablation(
    "corrupted",
    "(c) Priors corrupted on purpose",
    "What does each way of using a prior lose when the prior is wrong?",
    run,
    baseline=NO_PRIOR,
    needs_prior=True,
    note=(
        "Another country: one in which the gallery has references, and the position of one of them. Off: the point "
        "lies exactly so far from the truth, and the country is the one that it falls in. Uniform: every country and "
        "every km2 as likely as the others, the point anywhere."
    ),
    grid=True,
    check=_check,
)
