"""Moves that were checked against the answer: rules and models make them here alone, so that neither may do more."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from geosleuth.agent.dialogue.move import (
    AddHint,
    BringBack,
    CompareWith,
    LeaveOut,
    NotUnderstood,
    Observe,
    SearchEverything,
    StateSun,
    Understood,
    Undo,
    WhyNot,
)
from geosleuth.agent.dialogue.plain_words import LONGEST
from geosleuth.agent.localization import Localization, WeighedEvidence
from geosleuth.indexes.countries import country_name
from geosleuth.indexes.errors import InputError
from geosleuth.tools.quoting import quoted

if TYPE_CHECKING:
    from geosleuth.indexes.gazetteer import Place
    from geosleuth.tools.named_places import Meanings

EXAMPLES = ("in Portugal", "why not Spain?", "without clue 1")
_MISSPELT = 0.8  # of difflib's ratio: "Frnace" has 0.83, "again" for Spain 0.6
_TOLD = 3  # clues whose claims are told in full; more are counted


def refused(reason: str, suggestions: Sequence[str] = EXAMPLES) -> Understood:
    """Say why nothing is done."""
    return Understood(move=NotUnderstood(reason=reason, suggestions=tuple(suggestions)), words=reason)


def no_answer_yet() -> Understood:
    """Most requests are about an answer."""
    return refused("There is no answer yet: give a photo first.", ("in Portugal", "not Lisbon"))


def undo() -> Understood:
    """Take the last turn back."""
    return Understood(move=Undo(), words="Taken as: undo the last turn.")


def hint(text: str) -> Understood:
    """Words about the place, if tools/hints.py understands them."""
    from geosleuth.tools.hints import hint_evidence

    if not 0 < len(text) <= LONGEST:
        return refused("A hint is one place or a few.")
    try:
        found = hint_evidence(text)
    except InputError as error:
        meant = re.search(r"did you mean ['\"](.+?)['\"]\?", error.found)
        if meant and _resemble(name_of(text), meant[1]):
            near = f"in {meant[1]}"
            return refused(
                f"No place is known as {quoted(name_of(text))}. Did you mean {meant[1]}?", (near, f"not {meant[1]}")
            )
        return refused(f"No place is known as {quoted(name_of(text))}.", ("in Portugal", "near Lisbon", "48.85, 2.35"))
    meaning = "; ".join(dict.fromkeys(_meaning(one.claim) for one in found))
    denied = re.match(r"not\b", text, re.IGNORECASE) is not None
    name = name_of(text)
    if found[0].type == "hint.place" and not denied:
        meaning = _place_meant(name) or meaning
    if found[0].type == "hint.region":
        meaning = f"{name} ({meaning})"  # a division's code alone tells nobody anything
    beside = re.match(r"near\b", text, re.IGNORECASE) is not None
    where = f"{'not ' if denied else ''}{'in or near' if beside else 'in'} {meaning}"
    if found[0].type == "hint.coordinates":
        where = f"{'not ' if denied else ''}near {meaning}"
    if found[0].type == "hint.hemisphere":  # the denied one is named as the other
        where = f"in {meaning}"
    return Understood(move=AddHint(text=text), words=f"Taken as a hint: the photo is {where}.")


def name_of(text: str) -> str:
    """Return a hint without "not", "in" and "near"."""
    return re.sub(r"^(?:not |near |in )+", "", text, flags=re.IGNORECASE)


def _resemble(name: str, meant: str) -> bool:
    """Whether one may be the other misspelt: tools/hints.py also thinks of Spain at "again"."""
    return difflib.SequenceMatcher(None, name.casefold(), meant.casefold()).ratio() >= _MISSPELT


def _place_meant(name: str) -> str | None:
    """Name the place that is called so first: "Porto" is also what some call Bordeaux, which is larger."""
    from geosleuth.tools.named_places import meanings

    found = meanings(name)
    if not found.places:
        return None
    first = _called_so(found)
    more = f" (and {len(found.places) - 1} more of that name)" if len(found.places) > 1 else ""
    return f"{first.name}, {country_name(first.country)}{more}"


def _called_so(found: Meanings) -> Place:
    return next((one for one in found.places if one.id not in found.also_called), found.places[0])


def _meaning(claim: str) -> str:
    """What tools/hints.py took the words for stands in brackets at the end of its claim."""
    return claim.partition('" (')[2].removesuffix(").") or claim


def compare(number: int, answer: Localization | None) -> Understood:
    """Look at a candidate again: `number` is its place in the list that is shown, which has matches first."""
    if answer is None:
        return no_answer_yet()
    count = len(answer.candidates)
    if not count:
        why = "this answer has none that may be shown" if answer.precision_cap_km is not None else "there are none"
        return refused(f"There is no candidate to compare with: {why}.")
    if not 1 <= number <= count:
        named = "There is 1 candidate" if count == 1 else f"There are {count} candidates"
        return refused(f"{named}, and no number {number}.", (f"compare with candidate {count}",))
    one = answer.candidates[number - 1]
    words = f"Taken as: compare the photo with candidate {number} ({quoted(one.uri, bare=True)}) again."
    return Understood(move=CompareWith(rank=one.rank, photo=one.photo), words=words)


def search_everything(answer: Localization | None) -> Understood:
    """Search the whole gallery, where there is one."""
    if answer is not None and "index" not in answer.backends:
        return refused("There is no gallery to search: geosleuth was started without an index.")
    photos = 1 if answer is None else max(len(answer.photos), 1)
    words = "Taken as: search the whole gallery, whatever the belief says."
    return Understood(move=SearchEverything(photos=photos), words=words)


def why_not(codes: Sequence[str], name: str, answer: Localization | None) -> Understood:
    """Why the answer is not this country; asked of the answer's own, the runner-up is compared."""
    if answer is None:
        return no_answer_yet()
    if not codes:
        return refused(f"No country is known as {quoted(name)}.", ("why not Spain?",))
    first = answer.country.code if answer.country else next((one.code for one in answer.countries), None)
    others = tuple(code for code in dict.fromkeys(codes) if code != first)
    if others:
        return Understood(move=WhyNot(codes=others, name=name), words=f"Taken as a question: why not {name}?")
    runner_up = next((one for one in answer.countries if one.code != first), None)
    if runner_up is None:
        return refused(f"{name} is the answer, and there is no other country to compare it with.")
    words = f"Taken as a question: why {name}, and not the next likeliest, {runner_up.name}?"
    return Understood(move=WhyNot(codes=(runner_up.code,), name=runner_up.name), words=words)


def observe(question: str, option: str) -> Understood:
    """An answer to a question of tools/observations.py."""
    from geosleuth.tools.observations import QUESTIONS

    asked = QUESTIONS.get(question)
    chosen = next((one for one in asked.options if one.key == option), None) if asked else None
    if asked is None or chosen is None:
        return refused(f"There is no question {quoted(question)} with the answer {quoted(option)}.")
    words = f"Taken as an observation: {asked.text} {chosen.text[:1].upper()}{chosen.text[1:]}."
    return Understood(move=Observe(question=question, option=option), words=words)


def sun(
    taken: datetime, azimuth_deg: float | None = None, elevation_deg: float | None = None, *, at_most: bool = False
) -> Understood:
    """When the photo was taken, and where the sun stood; `at_most` where the elevation is an upper bound."""
    try:
        move = StateSun(taken=taken, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, at_most=at_most)
    except ValidationError:
        reason = "A sun's azimuth is from 0 to 359 degrees, its elevation above 0 and at most 90."
        return refused(reason, ("taken 2024-06-01 12:30, sun at 45 degrees",))
    from geosleuth.tools.sunlight import sun_evidence

    try:
        sun_evidence(move.taken, move.azimuth_deg, move.elevation_deg)
    except InputError as error:
        at = f"taken {taken:%Y-%m-%d %H:%M}"
        return refused(error.remedy, (f"{at}, the sun is 45 degrees high", f"{at}, the shadow is as long as the pole"))
    clock = "" if taken.tzinfo else ", by the clock of the place"
    parts = [f"the photo was taken {taken:%Y-%m-%d %H:%M}{taken:%z}{clock}"]
    if azimuth_deg is not None:
        parts.append(f"the sun in {azimuth_deg:.0f} degrees from north")
    if elevation_deg is not None:
        parts.append(f"the sun {'at most ' if at_most else ''}{elevation_deg:.0f} degrees high")
    return Understood(move=move, words=f"Taken as: {', '.join(parts)}.")


def leave_out(clues: Sequence[WeighedEvidence]) -> Understood:
    """Answer without these; at least one."""
    standing = [one for one in clues if not one.left_out]
    if not standing:
        return refused(f"Left out already: {_told(clues)}.", ("bring back everything",))
    return Understood(move=LeaveOut(ids=_ids(standing)), words=f"Taken as: answer without {_told(standing)}.")


def bring_back(clues: Sequence[WeighedEvidence], answer: Localization | None = None) -> Understood:
    """Let these count again; at least one. What is left out stands last, so that its number is another one now."""
    out = [one for one in clues if one.left_out]
    if not out:
        listed = enumerate(answer.evidence if answer is not None else (), start=1)
        left_out = [(number, one) for number, one in listed if one.left_out]
        told = "".join(f" Left out is clue {number}: {_told([one])}." for number, one in left_out[:_TOLD])
        suggestions = tuple(f"use clue {number} again" for number, _ in left_out[:_TOLD]) or ("without clue 1",)
        return refused(f"That counts already: {_told(clues)}.{told}", suggestions)
    return Understood(move=BringBack(ids=_ids(out)), words=f"Taken as: let this count again: {_told(out)}.")


def _ids(clues: Sequence[WeighedEvidence]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.id for one in clues))


def _told(clues: Sequence[WeighedEvidence]) -> str:
    claims = list(dict.fromkeys(one.claim.rstrip(".") for one in clues))
    told = "; ".join(f"\u201c{claim}\u201d" for claim in claims[:_TOLD])
    return told + (f" and {len(claims) - _TOLD} more" if len(claims) > _TOLD else "")


def why_not_named(name: str, answer: Localization | None, than: str | None = None) -> Understood:
    """Why the answer is not this country, or not the country of this place; `than` where the person named both."""
    from geosleuth.tools.named_places import meanings

    codes, told = countries_named(name)
    here = answer.country.code if answer is not None and answer.country else None
    if than is not None and here is not None and here in codes:
        codes, told = countries_named(than)  # "why Spain and not Portugal?", while Portugal is the answer
    elif here is not None and set(codes) == {here} and not meanings(name).countries:
        reason = f"That place is in {country_name(here)}, the answer's country: countries are compared, and no cities."
        return refused(reason, (f"near {name}", f"not {name}"))
    return why_not(codes, told, answer)


def countries_named(name: str) -> tuple[tuple[str, ...], str]:
    """Return the countries that a name may mean, and how to tell the person: a city stands for its country."""
    from geosleuth.tools.named_places import meanings

    found = meanings(name)
    if found.countries:
        return found.countries, ", ".join(map(country_name, found.countries))
    codes = tuple(
        dict.fromkeys([code[:2] for code in found.divisions] or ([_called_so(found).country] if found.places else []))
    )
    told = _called_so(found).name if found.places and not found.divisions else name
    return codes, f"{', '.join(map(country_name, codes))} ({told})" if codes else name
