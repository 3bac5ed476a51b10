"""A vision-language model as a prior: country and city with probabilities, and its reasons (arXiv 2406.18572).

GeoReasoner gives one guess. Here the model's own probabilities are used: read off over the names of all countries at
the place where its reply names one, or, where a server gives no probabilities, counted over several replies.
"""

from __future__ import annotations

import logging
import textwrap
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.countries import country_name
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.regions import country_at
from geosleuth.tools.city_points import city_points
from geosleuth.tools.evidence import Evidence, Likelihood, Nothing, Support
from geosleuth.tools.georeasoner_reply import BEGUN, GeoAnswer, prompt, scored_beginnings
from geosleuth.tools.prior_likelihood import Point, countries_likelihood, places_likelihood
from geosleuth.tools.quoting import LONGEST, quoted

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.vlm.model import VisionLanguageModel

logger = logging.getLogger(__name__)

_SAMPLES = 8  # replies where nothing can be scored: shares to an eighth, at eight times the price of a guess
# At temperature 1 replies are drawn from the model's own distribution: their shares estimate the very probabilities
# that scoring reads off. A lower one would sharpen them, and the model be taken for surer than it is.
_TEMPERATURE = 1.0
_PSEUDO = 1.0  # replies added for "another country than those drawn": eight of the same are not certainty (Laplace)
_MOST_TOKENS = 512  # of a reply; GeoReasoner's take 100 to 300
_LEAST_COVERED = 0.01  # of the model's probability on names of countries; below it the model is not answering
_MOST_SAID = 3  # countries or cities named in a claim
_MOST_REASONS = 6  # kept for people, each cut at so many quotations' lengths
_LENGTHS = 4
_SPREAD = (
    "a position errs as those of other models do, 12 to 500 km (prior_likelihood.ERRORS): how far this one's street "
    "level errs is not known"
)


@dataclass(frozen=True)
class _Opinion:
    """The model's distribution over countries, and how it was had."""

    shares: Mapping[str, float]  # ISO code -> probability; what lacks to 1 went to no country
    how: str  # "scored over ..." or "... of 8 replies"
    drawn: Sequence[GeoAnswer] | None = None  # the replies that could be read, where they were counted
    samples: int = 0  # replies drawn

    @property
    def covered(self) -> float:
        return min(sum(self.shares.values()), 1.0)

    def city_shares(self, reply: GeoAnswer | None) -> dict[tuple[str, str | None], float]:
        """Probability of each (city, country code), the likeliest first.

        Of drawn replies it is counted. Else there is the one reply: its city is as likely as its country, at most.
        """
        if self.drawn is not None:
            named = Counter((one.city_name, one.country_code) for one in self.drawn if one.city_name)
            return {(city or "", code): n / (self.samples + _PSEUDO) for (city, code), n in named.most_common()}
        if reply is None or reply.city_name is None:
            return {}
        return {(reply.city_name, reply.country_code): self._share(reply)}

    def street_level(self, reply: GeoAnswer | None) -> list[tuple[GeoAnswer, float]]:
        """Each reply with its probability: those drawn, else the one, which is as likely as its country, at most."""
        if self.drawn is not None:
            return [(one, 1.0 / (self.samples + _PSEUDO)) for one in self.drawn]
        return [] if reply is None else [(reply, self._share(reply))]

    def _share(self, reply: GeoAnswer) -> float:
        code = reply.country_code
        return self.shares.get(code, 0.0) if code else self.covered


def ask_prior(photo: Photo, model: VisionLanguageModel, *, samples: int | None = None) -> list[Evidence]:
    """Ask the model for country and city, and say what its answer is worth.

    Where a reply has a position besides (an adapter was taught the street level), that is a finding of its own.

    Args:
        photo: The photo.
        model: The model.
        samples: Replies to draw and count; None scores the names of all countries, and draws 8 replies where the model
            gives no probabilities.

    Raises:
        InputError: The model cannot be reached or run, or the photo's budget of requests is spent.
    """
    started = time.perf_counter()
    opinion = _scored(photo, model) if samples is None else None
    if opinion is None:
        opinion = _drawn(photo, model, samples or _SAMPLES)
    reply = _reasoned(photo, model)
    pieces = [_country(model, opinion, reply), *_cities(model, opinion, reply), *_positions(model, opinion, reply)]
    seconds = (time.perf_counter() - started) / len(pieces)  # of all together
    return [piece.model_copy(update={"seconds": seconds}) for piece in pieces]


def country_shares(pixels: Pixels, model: VisionLanguageModel) -> dict[str, float]:
    """Read off the probability of each country, by ISO code: of all beginnings of a reply that name it.

    Raises:
        InputError: The model cannot be reached or run, or its server gives no probabilities.
    """
    beginnings = scored_beginnings()
    scores = model.score([prompt(pixels, BEGUN)], [text for text, _ in beginnings])
    shares: dict[str, float] = defaultdict(float)
    for (_, code), probability in zip(beginnings, np.exp(scores.log_probabilities[0]).tolist(), strict=True):
        shares[code] += probability
    above = max(sum(shares.values()), 1.0)  # rounding, and a server's own
    return {code: share / above for code, share in shares.items()}


def _scored(photo: Photo, model: VisionLanguageModel) -> _Opinion | None:
    try:
        shares = country_shares(photo.pixels, model)
    except InputError as error:
        logger.info("Countries cannot be scored, replies are drawn instead: %s", error)
        return None
    return _Opinion(shares, "scored over the names of all countries")


def _drawn(photo: Photo, model: VisionLanguageModel, samples: int) -> _Opinion:
    """Draw replies and count their countries."""
    replies = _replies(photo, model, samples=samples, temperature=_TEMPERATURE)
    counts = Counter(code for reply in replies if (code := reply.country_code))
    named = sum(counts.values())
    # The pseudo-reply, and those that name no country or cannot be read, go to nobody: they count as silence.
    shares = {code: n / (samples + _PSEUDO) for code, n in counts.items()}
    return _Opinion(shares, f"counted over {samples} replies, of which {named} name a country", replies, samples)


def _reasoned(photo: Photo, model: VisionLanguageModel) -> GeoAnswer | None:
    """The one reply that the model finds likeliest, for its city and its reasons."""
    try:
        return next(iter(_replies(photo, model, samples=1, temperature=0.0)), None)
    except InputError as error:  # the budget may be spent; what was found before stands
        logger.warning("The model's reasons are missing: %s", type(error).__name__)
        logger.info("The model said: %s", error)
        return None


def _replies(photo: Photo, model: VisionLanguageModel, *, samples: int, temperature: float) -> list[GeoAnswer]:
    from geosleuth.tools.vlm.structured import answer_as

    (answers,) = answer_as(
        model,
        [prompt(photo.pixels)],
        GeoAnswer,
        max_tokens=_MOST_TOKENS,
        samples=samples,
        temperature=temperature,
        seed=0,
    )
    return [answer for answer in answers if isinstance(answer, GeoAnswer)]


def _country(model: VisionLanguageModel, opinion: _Opinion, reply: GeoAnswer | None) -> Evidence:
    if opinion.covered < _LEAST_COVERED:
        claim = f"{_name(model)} names no country."
        reason = f"{opinion.covered:.1%} of the model's probability is on names of countries ({opinion.how})"
        return _evidence(model, "country", claim, Nothing(reason=reason), reply)
    best = sorted(opinion.shares.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_SAID]
    said = ", ".join(f"{country_name(code).strip()} {share:.0%}" for code, share in best if share >= 0.005)
    claim = f"{_name(model)} says the country is {said or country_name(best[0][0]).strip()} ({opinion.how})."
    return _evidence(model, "country", claim, countries_likelihood(opinion.shares), reply)


def _cities(model: VisionLanguageModel, opinion: _Opinion, reply: GeoAnswer | None) -> list[Evidence]:
    """One finding of all cities named; none where no reply names one."""
    shares = opinion.city_shares(reply)
    if not shares:
        return []
    points, unknown = [], []
    for (city, country), share in shares.items():
        found = city_points(city, country)
        points += [point._replace(share=point.share * share) for point in found]
        if not found:
            unknown.append(city)
    said = ", ".join(f"{quoted(city)} {share:.0%}" for (city, _), share in list(shares.items())[:_MOST_SAID])
    claim = f"{_name(model)} says the city is {said}."
    missing = ", ".join(map(quoted, unknown[:_MOST_SAID]))
    if not points:
        return [_evidence(model, "place", claim, Nothing(reason=f"the gazetteer knows no place named {missing}"))]
    left_out = f" The gazetteer knows no place named {missing}." if unknown else ""
    return [_evidence(model, "place", claim + left_out, places_likelihood(_merged(points)))]


def _positions(model: VisionLanguageModel, opinion: _Opinion, reply: GeoAnswer | None) -> list[Evidence]:
    """One finding of the positions in the replies; none where no reply gives one."""
    given = [one for one in opinion.street_level(reply) if one[0].has_street_level]
    if not given:
        return []
    points, faults = [], Counter[str]()
    for one, share in given:
        fault = _fault(one)
        if fault:
            faults[fault] += 1
        elif position := one.position:
            points.append(Point(*position, share))
    left_out = "; ".join(f"{n} left out: {fault}" if points else fault for fault, n in faults.most_common())
    if not points:
        claim = f"{_name(model)} gives a position that does not count."
        return [_evidence(model, "place", claim, Nothing(reason=left_out))]
    merged = sorted(_merged(points), key=lambda point: -point.share)
    said = ", ".join(f"{point.lat:.4f}, {point.lon:.4f} ({point.share:.0%})" for point in merged[:_MOST_SAID])
    more = f" ({left_out})" if left_out else ""
    claim = f"{_name(model)} puts the photo at {said}{more}."
    piece = _evidence(model, "place", claim, places_likelihood(merged))
    return [piece.model_copy(update={"support": (Support(rule=_SPREAD, source=_name(model)),)})]


def _fault(reply: GeoAnswer) -> str | None:
    """Why a reply's position does not count: a model that contradicts itself says nothing."""
    position, code = reply.position, reply.country_code
    if position is None:
        return "it is no position"
    if code is None:
        return "the reply names no country that it could lie in"
    if country_at(*position) != code:
        return f"it is not in {country_name(code).strip()}, which the reply names"
    return None


def _merged(points: Sequence[Point]) -> list[Point]:
    """Several replies may mean the same place: it stands once."""
    shares: dict[Point, float] = defaultdict(float)
    for point in points:
        shares[point._replace(share=0.0)] += point.share
    return [point._replace(share=share) for point, share in shares.items()]


def _evidence(
    model: VisionLanguageModel, kind: str, claim: str, likelihood: Likelihood, reply: GeoAnswer | None = None
) -> Evidence:
    reasons = reply.reasons[:_MOST_REASONS] if reply else []
    return Evidence(
        tool="prior",
        type=f"prior.{kind}",
        claim=claim,
        likelihood=likelihood,
        group=f"prior:{_name(model)}",  # country and city are one opinion
        support=tuple(
            Support(text=_shown(reason), rule="the model's own words, checked by nothing", source=_name(model))
            for reason in reasons
        ),
        weights=model.weights,
    )


def _name(model: VisionLanguageModel) -> str:
    """For people; the folders that a path lies in are left out."""
    return parse_backend(model.spec).short


def _shown(reason: str) -> str:
    """A whole sentence as a quotation: one is cut after 80 characters."""
    parts = textwrap.wrap(reason, LONGEST)
    return " ".join(quoted(part, bare=True) for part in parts[:_LENGTHS]) + (" …" if len(parts) > _LENGTHS else "")
