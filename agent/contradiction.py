"""Findings that cannot both be right: what speaks for the answer, and what speaks against it.

A contribution does not show this: beside a GPS position worth 20 bits, one Ukrainian sign in Italy may change the
belief by next to nothing, and several may turn it. So each source is judged alone, at the answer's point: the writing,
a phone number, the metadata, the investigator. Within a source findings add up: beside a German sign, "Pizzeria Napoli"
does not speak against Germany.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geosleuth.agent.localization import Contradiction
from geosleuth.indexes.countries import country_name
from geosleuth.indexes.geodesy import LatLon, distance_km
from geosleuth.tools.captions import CAPTION
from geosleuth.tools.evidence import Evidence, NearPoints, OverRegions

MOST = 5  # contradictions listed; more would repeat the same disagreement
_WRITING = ("reading.script", "reading.language")  # two views of the same lines
# Two positions this near to each other agree: a receiver that repeats an old fix, a reference that another receiver
# placed, a long lens. Their Gaussians are sharper than that, so their bits would say otherwise.
_SAME_AREA_KM = 0.5


@dataclass(frozen=True)
class ContradictionRule:
    """When two sources disagree enough to say so."""

    regions_bits: float = 4.0  # 16 to 1 for another country; English in a country that has little of it reaches 3
    places_bits: float = 8.0  # 256 to 1 for another place; a shop called "Paris" reaches 7, a position or a pin 20
    # Captions count 3 bits at most. Of a false place one is to hear; of a first name that is also a village's, not.
    caption_bits: float = 2.95
    support_bits: float = 3.0  # the other side must have some weight as well, or there is nothing to contradict


@dataclass(frozen=True)
class Verdict:
    """What one source says about the point. Both in bits; a source may do one or the other, or neither."""

    rows: tuple[int, ...]  # of the evidence, the one that speaks most clearly first
    support: float  # log2 of the likelihood here over its mean anywhere; above 0: speaks for the point
    against: float  # log2 of the likelihood at its best place over that here; 0 and more


def find_contradictions(
    evidence: Sequence[Evidence],
    point: LatLon,
    regions: Sequence[str],
    prior: Mapping[str, float],
    *,
    photos: Sequence[int | None] = (),
    temperature: Callable[[Evidence], float] = lambda _: 1.0,
    rule: ContradictionRule | None = None,
) -> tuple[Contradiction, ...]:
    """Pair the strongest source for the answer with each one that speaks against it, the strongest first.

    Args:
        evidence: All of it; indexes in the result refer to this order.
        point: The answer.
        regions: Codes of the regions that hold the point, the most special first ("IT-62", "IT").
        prior: Probability of each country before any evidence: where a clue is worth its mean.
        photos: In which photo each piece was found: two photos are two sources. Empty: all in one.
        temperature: The calibrated factor on the log-likelihoods of a piece of evidence.
        rule: The thresholds.
    """
    rule = rule or ContradictionRule()
    verdicts = [
        *(_places_verdict(i, e.likelihood, point, temperature(e)) for i, e in _of(evidence, NearPoints)),
        *(_regions_verdict(rows, evidence, regions, prior, temperature) for rows in _sources(evidence, photos)),
    ]
    supporter = max(verdicts, key=lambda verdict: verdict.support, default=None)
    if supporter is None or supporter.support < rule.support_bits:
        return ()
    found = [
        Contradiction(
            claim=_sentence(evidence[supporter.rows[0]], evidence[verdict.rows[0]], verdict.against, regions),
            bits=verdict.against,
            evidence=(supporter.rows[0], *verdict.rows),
        )
        for verdict in verdicts
        if verdict is not supporter and verdict.against >= _threshold(evidence[verdict.rows[0]], rule)
    ]
    return tuple(sorted(found, key=lambda item: -item.bits)[:MOST])


def _of(evidence: Sequence[Evidence], kind: type) -> list[tuple[int, Evidence]]:
    return [(row, item) for row, item in enumerate(evidence) if isinstance(item.likelihood, kind)]


def _sources(evidence: Sequence[Evidence], photos: Sequence[int | None]) -> list[list[int]]:
    """Rows of evidence over regions by source: the writing of each photo, each other type, each investigator's hint."""
    sources: dict[str, list[int]] = {}
    for row, item in _of(evidence, OverRegions):
        name = "writing" if item.type in _WRITING else item.type if item.tool != "hint" else f"hint {row}"
        photo = photos[row] if photos else None
        sources.setdefault(f"{name} of {photo}", []).append(row)
    return list(sources.values())


def _regions_verdict(
    rows: Sequence[int],
    evidence: Sequence[Evidence],
    regions: Sequence[str],
    prior: Mapping[str, float],
    temperature: Callable[[Evidence], float],
) -> Verdict:
    """Add up the log-likelihoods of a source by country; of a group that is met twice, the strongest counts."""
    codes = [*prior]
    tables: dict[str, tuple[int, np.ndarray]] = {}
    for row in rows:
        likelihood = evidence[row].likelihood
        assert isinstance(likelihood, OverRegions)  # noqa: S101  what `_sources` chose; for the type checker
        ratios, otherwise = likelihood.log_ratios, likelihood.otherwise
        here = next((ratios[code] for code in regions if code in ratios), otherwise)
        table = np.array([here, *(ratios.get(code, otherwise) for code in codes)]) * temperature(evidence[row])
        key = f"{evidence[row].type} {evidence[row].group or row}"
        if key not in tables or np.ptp(table) > np.ptp(tables[key][1]):
            tables[key] = (row, table / math.log(2))
    total = np.sum([table for _, table in tables.values()], axis=0)
    share = np.array([prior[code] for code in codes])
    top = total.max()  # taken out before the power, which would overflow
    mean = top + math.log2(float(np.exp2(total[1:] - top) @ share / share.sum()))
    against = [(float(table.max() - table[0]), row) for row, table in tables.values()]
    ordered = [row for _, row in sorted(against, key=lambda pair: (-pair[0], pair[1]))]
    return Verdict(tuple(ordered), float(total[0] - mean), float(top - total[0]))


def _places_verdict(row: int, likelihood: object, point: LatLon, temperature: float) -> Verdict:
    assert isinstance(likelihood, NearPoints)  # noqa: S101  what `_of` chose; for the type checker
    lats, lons, spreads, weights = np.array([(p.lat, p.lon, p.spread_km, p.weight) for p in likelihood.places]).T
    # Rows are where one stands: the point first, then each place.
    km = distance_km(np.append(point.lat, lats)[:, None], np.append(point.lon, lons)[:, None], lats, lons)
    bumps = np.exp(-0.5 * np.minimum((km / spreads) ** 2, 1400.0))  # below 1e-300 is nothing
    bits = np.log2(np.maximum(likelihood.floor + bumps @ weights, 1e-12) / likelihood.floor) * temperature
    best = int(np.argmax(bits[1:]))
    if bits[1 + best] > 0.0 and km[0, best] <= _SAME_AREA_KM:
        return Verdict((row,), float(bits[0]), 0.0)
    # Somewhere the likelihood is the floor: 0 bits.
    return Verdict((row,), float(bits[0]), float(max(bits.max(), 0.0) - bits[0]))


def _threshold(evidence: Evidence, rule: ContradictionRule) -> float:
    if evidence.type == CAPTION:
        return rule.caption_bits
    return rule.places_bits if isinstance(evidence.likelihood, NearPoints) else rule.regions_bits


def _sentence(supporter: Evidence, against: Evidence, bits: float, regions: Sequence[str]) -> str:
    where = country_name(regions[-1]) if regions else "the open sea"
    if supporter.type == "metadata.gps":
        first = f"The photo's EXIF position is in {where}"
    else:
        first = f"{_clause(supporter.claim)} (for {where})"
    return f"{first}, but {_lower_first(_clause(against.claim))} ({bits:.1f} bits against)"


def _clause(claim: str) -> str:
    return claim.strip().rstrip(".")


def _lower_first(text: str) -> str:
    """Lower the first letter of an ordinary word; EXIF and GPS stay as they are."""
    return text[0].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
