"""Regions missing from the gallery: what is answered for photos of a country that it has no reference of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.agent.belief import Belief
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import geodesic_km
from geosleuth.tools.submap import FEWEST_REFERENCES, Submap
from geosleuth.tools.verification import verification_evidence
from geosleuth.training.evaluate.ablations.arm import Ablation, ArmResult, Results, Values, flag
from geosleuth.training.evaluate.ablations.decision import accepted, first, outcome
from geosleuth.training.evaluate.ablations.setup import VERIFIED

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Candidate
    from geosleuth.training.evaluate.ablations.setup import Look, Setup

SHARES = (0.0, 0.25, 0.5, 0.75)
_MISSING, _THERE = "of missing regions", "of present regions"
_WAYS = ("first candidate", "verified", "belief")


def run(look: Look) -> Results:
    """Take countries out of the gallery, more and more of them, and answer from what is left."""
    results: dict[str, ArmResult] = {}
    for share, removed in removals(look.setup).items():
        missing = look.query.country in removed
        for way, values in _answers(look, _left(look, removed)):
            results[f"{share:.0%} removed: {way}"] = ArmResult(values=_apart(values, missing=missing))
    return results


def removed_countries(setup: Setup, share: float) -> frozenset[str]:
    """So many of the gallery's countries, drawn by the seed; a larger share holds the smaller ones, and one stays."""
    order = np.random.default_rng([setup.seed, 1]).permutation(len(setup.countries))
    return frozenset(setup.countries[i] for i in order[: min(round(share * len(order)), len(order) - 1)])


def removals(setup: Setup) -> dict[float, frozenset[str]]:
    """What each share takes out: of those that take out the same the first, and none that leaves too few references.

    Raises:
        InputError: Nothing can be taken out at all.
    """
    least = min(FEWEST_REFERENCES, len(setup.gallery))  # with fewer, retrieval falls back to the whole gallery
    made: dict[float, frozenset[str]] = {}
    for share in SHARES:
        removed = removed_countries(setup, share)
        if removed not in made.values() and (not removed or _references_left(setup, removed) >= least):
            made[share] = removed
    if len(made) == 1:
        found = f"{len(setup.gallery):,} references, of countries: {len(setup.countries):,}"
        wanted = f"a gallery with {least} references left when countries are taken out"
        raise InputError(wanted, found, "Use a larger gallery, of several countries.")
    return made


def _references_left(setup: Setup, removed: frozenset[str]) -> int:
    """Those at sea go with the first country: they are of none."""
    return sum(count for code, count in setup.by_country.items() if code not in removed)


def really_removed(setup: Setup) -> tuple[str, ...]:
    """Say what each share took out of this gallery, and which ones are left out."""
    made = removals(setup)
    said = []
    for share, removed in made.items():
        if removed:
            gone = 1.0 - _references_left(setup, removed) / len(setup.gallery)
            countries = f"{len(removed):,} of {len(setup.countries):,} countries"
            said.append(f"{share:.0%} removed: {countries}, {gone:.1%} of the references")
    absent = [f"{share:.0%}" for share in SHARES if share not in made]
    if absent:
        said.append(f"left out, since they take out the same or leave too few references: {', '.join(absent)}")
    return ("; ".join(said) + ".",)


def _check(setup: Setup) -> None:
    removals(setup)


def _left(look: Look, removed: frozenset[str]) -> tuple[Candidate, ...]:
    if not removed:
        return look.found
    kept = tuple(code for code in look.setup.countries if code not in removed)
    found = look.search(_only(kept))
    if found.submap_reason is not None:  # it fell back to the whole gallery, of which nothing is missing
        raise InputError("a gallery with enough references left", found.submap_reason, "Use a larger gallery.")
    return found.candidates


def _only(countries: tuple[str, ...]) -> Submap:
    """Whole countries, by the references' own column: no outline has to be asked."""
    import geopandas

    nothing = geopandas.GeoDataFrame({"code": []}, geometry=[], crs="EPSG:4326")
    return Submap(countries, 1.0, 0.0, nothing)


def _answers(look: Look, candidates: Sequence[Candidate]) -> Iterator[tuple[str, Values]]:
    verified = look.verified(candidates)[:VERIFIED]
    yield _WAYS[0], outcome(look, first(candidates))
    yield _WAYS[1], outcome(look, accepted(verified))
    yield _WAYS[2], _believed(look, verified)


def _believed(look: Look, verified: Sequence[Candidate]) -> Values:
    """Fuse the prior with what was verified, as the agent does."""
    said = verification_evidence(verified, matcher=look.setup.matcher, seconds=0.0)
    belief = Belief.start().update((*look.opinion.evidence, said))
    truth = look.query.position
    error = geodesic_km(belief.point(), truth)
    density = float(belief.log_density(np.array([truth.lat]), np.array([truth.lon]))[0])
    return {
        "truth in the 90 % region": flag(density >= belief.log_threshold(0.9)),
        "point within 25 km": flag(error <= 25.0),
        "point within 750 km": flag(error <= 750.0),
    }


def _apart(values: Values, *, missing: bool) -> Values:
    """Every value twice: of photos whose country is missing, and of the others."""
    both = {f"{name}, {_MISSING}": value if missing else None for name, value in values.items()}
    return {**both, **{f"{name}, {_THERE}": None if missing else value for name, value in values.items()}}


TABLE = Ablation(
    "missing",
    "(g) Regions missing from the gallery",
    "What is said of a photo from a country that the gallery lacks: nothing, or a false match?",
    run,
    baseline=None,
    primary=f"answered wrong, {_MISSING}",
    note=(
        "Whole countries are taken out, drawn by the seed; a larger share holds the smaller one. First candidate: "
        "always an answer. Verified: of the first 20 what local features accept. Belief: the prior and what was "
        "verified, fused as the agent fuses them; no other clue is read."
    ),
    check=_check,
    notes_of=really_removed,
)
