"""What a person can check after an answer, by their own means: nothing of it is sent anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from geosleuth.agent.dialogue.local_names import city_in, country_in, languages_of
from geosleuth.agent.figures import coordinates, km
from geosleuth.agent.localization import Localization, Point, WeighedEvidence
from geosleuth.tools.captions import CAPTION
from geosleuth.tools.quoting import quoted

Kind = Literal["coordinates", "search", "question", "candidate", "contradiction", "sun", "photo"]

_CITY_PROBABILITY = 0.5  # of being within 25 km: below, another place is as likely, and a search would look there
_TERMS = 4  # read lines that are offered as search terms: the ones that counted most
_QUESTIONS = 3
_CONTRADICTIONS = 3
_NAMES = (
    *("reading.place", "reading.brand", "reading.phone", "reading.phone_area", "reading.domain", "reading.postcode"),
    CAPTION,  # a search may tell whether it is true
)
_FINE_KM = 30.0  # half a minute of latitude is 1 km: beyond this radius even minutes are too fine
_LOOKED = 60  # characters of a line as a search term; longer ones find nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """One thing to do; no pydantic model, whose `copy` is a method."""

    kind: Kind
    text: str  # an imperative sentence
    copy: str | None = None  # to paste elsewhere
    why: str


def next_steps(answer: Localization) -> tuple[NextStep, ...]:
    """List what a person can check, the most telling first; what a cap on precision withholds is in none of it."""
    makers = (
        (_photo, _questions)
        if answer.status == "not_locatable"
        else (*(_contradictions, _candidate, _coordinates, _search, _sun, _questions),)
    )
    return tuple(step for maker in makers for step in maker(answer))


def _photo(_: Localization) -> Iterator[NextStep]:
    yield NextStep(
        kind="photo",
        text="Add another photo of the same place, or the original file.",
        why="This photo shows too little; an original file may hold a position and a time, which copies often lose.",
    )


def _coordinates(answer: Localization) -> Iterator[NextStep]:
    if answer.point is None:
        return
    capped = answer.precision_cap_km is not None
    radius = f"Half of the belief lies within {km(answer.radius_km)}." if answer.radius_km is not None else ""
    where = "the middle of a square of the map, coarsened on purpose" if capped else "the likeliest point"
    yield NextStep(
        kind="coordinates",
        text="Look at the place on a map or in street photographs.",
        copy=coordinates(answer.point, answer.radius_km),
        why=f"It is {where}. {radius}".strip(),
    )
    if answer.radius_km is None or answer.radius_km < _FINE_KM:  # a degree and its minutes are finer than a wide guess
        yield NextStep(
            kind="coordinates",
            text="The same in degrees, minutes and seconds.",
            copy=_dms(answer.point, capped),
            why="Some maps and paper charts take only these.",
        )


def _dms(point: Point, capped: bool) -> str:
    return f"{_sexagesimal(point.lat, 'NS', capped)} {_sexagesimal(point.lon, 'EW', capped)}"


def _sexagesimal(value: float, sides: str, capped: bool) -> str:
    """38°42'36"N; under a cap without seconds, which are 30 m."""
    side = sides[0] if value >= 0 else sides[1]
    seconds = round(abs(value) * 3600)
    if capped:
        minutes = round(seconds / 60)
        return f"{minutes // 60}°{minutes % 60:02d}'{side}"
    return f"{seconds // 3600}°{seconds % 3600 // 60:02d}'{seconds % 60:02d}\"{side}"


def _search(answer: Localization) -> Iterator[NextStep]:
    """What was read, with the place in the language that is written there."""
    if answer.country is None:
        return
    language = next(iter(languages_of(answer.country.code)), "en")
    near = answer.city if answer.city and answer.city.probability >= _CITY_PROBABILITY else None
    place = city_in(near, language) if near else country_in(answer.country.code, language)
    for line in _read_names(answer):
        yield NextStep(
            kind="search",
            text=f"Search the web and maps for {quoted(line)}.",
            copy=f'"{line}" {place}',
            why=f"It was read in the photo; {place} is how the place is written there.",
        )
    if answer.city and answer.precision_cap_km is None and not near:
        named = city_in(answer.city, language)
        yield NextStep(
            kind="search",
            text=f"Compare with street photographs of {answer.city.name}.",
            copy=named,
            why=f"The nearest city to the likeliest point, yet with {answer.city.probability:.0%} only.",
        )
    elif near:
        yield NextStep(
            kind="search",
            text=f"Compare with street photographs of {near.name}.",
            copy=place,
            why=f"{near.probability:.0%} of the belief lies within 25 km of it.",
        )


def _read_names(answer: Localization) -> list[str]:
    """Lines that name a place, a firm or a number, those that counted most first; each once, and free of quotes."""
    counted = sorted(
        (one for one in answer.evidence if one.type in _NAMES and not one.left_out),
        key=lambda one: -abs(one.contribution_bits),
    )
    lines = (_line(support.text) for one in counted for support in one.support if support.text)
    return list(dict.fromkeys(filter(None, lines)))[:_TERMS]


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", quoted(text, bare=True).replace("'", " ").replace("…", " ")).strip()[:_LOOKED]


def _questions(answer: Localization) -> Iterator[NextStep]:
    for question in answer.questions[:_QUESTIONS]:
        options = ", ".join(option.text for option in question.options[:6])
        more = ", …" if len(question.options) > 6 else ""
        yield NextStep(
            kind="question",
            text=f"Look in the photo: {question.text} ({options}{more})",
            why=f"An answer is worth about {question.expected_bits:.1f} bits.",
        )


def _candidate(answer: Localization) -> Iterator[NextStep]:
    for number, one in enumerate(answer.candidates, start=1):
        matched = one.verification is not None and one.verification.verdict == "match"
        if matched or number == 1:
            reason = one.verification.reason if one.verification else "nobody compared its features yet"
            yield NextStep(
                kind="candidate",
                text=f"Compare the photo with candidate {number} ({quoted(one.uri, bare=True)}) by eye.",
                copy=f"{one.lat:.5f}, {one.lon:.5f}",
                why=f"{'It matches' if matched else 'The most similar reference'}: {reason}",
            )
            return


def _contradictions(answer: Localization) -> Iterator[NextStep]:
    for one in answer.contradictions[:_CONTRADICTIONS]:
        numbers = " and ".join(str(index + 1) for index in sorted(one.evidence))
        told = "." if answer.precision_cap_km is not None else f": {one.claim}"
        yield NextStep(
            kind="contradiction",
            text=f"Check by eye which of the clues {numbers} is right{told}",
            why=f"They cannot both be right; {one.bits:.1f} bits speak against the answer.",
        )


def _sun(answer: Localization) -> Iterator[NextStep]:
    timed = next((one for one in answer.evidence if one.type == "metadata.time" and one.likelihood != "nothing"), None)
    if timed is None or answer.point is None or _stated(answer.evidence):
        return
    yield NextStep(
        kind="sun",
        text="Compare the shadows with the sun at the photo's time and at the likeliest point.",
        why=f"{timed.claim} The length and the direction of a shadow then tell whether the place is right.",
    )


def _stated(evidence: tuple[WeighedEvidence, ...]) -> bool:
    return any(one.tool == "sun" for one in evidence)
