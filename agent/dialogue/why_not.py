"""Why the answer is one country and not another: what each piece of evidence says between the two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from geosleuth.agent.figures import bits, percent
from geosleuth.agent.localization import CountryShare, Localization
from geosleuth.indexes.countries import country_name
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.agent.belief import Belief

_TELLING_BITS = 0.1  # 7 % more likely in one country than in the other: below, nobody would call it a reason
_TOLD = 4  # reasons of each side that stand in the words; all are in `pieces`


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Weighed(_Frozen):
    """One piece of evidence, between the two countries."""

    id: str  # of WeighedEvidence
    claim: str  # as the answer tells it
    bits: float  # log2 of the odds with it over those without; above 0 it speaks for the country that was asked about


class WhyNotAnswer(_Frozen):
    """The answer to "why not Spain?"."""

    asked: CountryShare
    against: CountryShare  # the answer's country, or the likeliest other
    start_bits: float  # log2 of the odds before any evidence: where photos are taken
    pieces: tuple[Weighed, ...]  # the strongest first, those that say nothing between the two left out
    words: str


def why_not(belief: Belief, evidence_ids: Sequence[str], codes: Sequence[str], answer: Localization) -> WhyNotAnswer:
    """Weigh a country against the answer's.

    Args:
        belief: That the answer was drawn from; what was left out is not in it.
        evidence_ids: `WeighedEvidence.id` of each piece in `belief.evidence`.
        codes: Countries that were asked about (ISO 3166-1 alpha-2); the likeliest of them is weighed.
        answer: Its claims are told, so that what a cap on precision withholds stays withheld.

    Raises:
        InputError: No country was named, or the map does not have it.
    """
    from geosleuth.agent.belief import Belief

    now = belief.country_probabilities()
    known = [code for code in codes if code in now]
    if not known:
        found = ", ".join(map(repr, codes)) or "nothing"
        raise InputError("a country to ask about", found, "Name it by its ISO 3166-1 code, such as ES.")
    asked = max(known, key=lambda code: now[code])
    first = answer.country.code if answer.country else next(iter(now))
    if asked == first:  # "why Portugal?": against the next
        first = next(code for code in now if code != asked)
    start = Belief.start().country_probabilities()
    pieces = _pieces(belief.contrast(asked, first), evidence_ids, answer)
    shares = [
        CountryShare(code=code, name=country_name(code), probability=min(now[code], 1.0)) for code in (asked, first)
    ]
    start_bits = math.log2(max(start[asked], _LEAST) / max(start[first], _LEAST))
    words = _words(shares[0], shares[1], start_bits, pieces)
    return WhyNotAnswer(asked=shares[0], against=shares[1], start_bits=start_bits, pieces=pieces, words=words)


_LEAST = 1e-12  # of a probability, before its logarithm


def _pieces(bits: Sequence[float], evidence_ids: Sequence[str], answer: Localization) -> tuple[Weighed, ...]:
    claims = {one.id: one.claim for one in answer.evidence}
    pieces = [
        Weighed(id=name, claim=claims.get(name, "A finding that the answer does not list."), bits=value)
        for name, value in zip(evidence_ids, bits, strict=True)
        if abs(value) >= _TELLING_BITS
    ]
    return tuple(sorted(pieces, key=lambda one: (-abs(one.bits), one.id)))


def _words(asked: CountryShare, against: CountryShare, start_bits: float, pieces: Sequence[Weighed]) -> str:
    sentences = [
        f"{asked.name} has {percent(asked.probability)}, {against.name} {percent(against.probability)}.",
        _start(asked, against, start_bits),
    ]
    for side, heading in ((-1, "Against"), (1, "For")):
        reasons = [one for one in pieces if one.bits * side > 0]
        if reasons:
            told = "; ".join(f"{one.claim.rstrip('.')} ({bits(one.bits)})" for one in reasons[:_TOLD])
            more = f"; and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
            sentences.append(f"{heading} {asked.name}: {told}{more}.")
    if not pieces:
        sentences.append("No evidence speaks for one of the two against the other.")
    return " ".join(sentences)


def _start(asked: CountryShare, against: CountryShare, bits: float) -> str:
    if abs(bits) < _TELLING_BITS:
        return "Before any evidence the two are about equally likely."
    more, less = (asked, against) if bits > 0 else (against, asked)
    times = 2.0 ** min(abs(bits), 40.0)
    factor = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"
    return (
        f"Before any evidence {more.name} is {factor} times as likely as {less.name}, for more photos are taken there."
    )
