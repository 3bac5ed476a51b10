"""Which clues of an answer the investigator's words mean: "clue 3", "clues 2 and 4", "the phone number"."""

from __future__ import annotations

import re

from geosleuth.agent.dialogue.plain_words import numbers_in
from geosleuth.agent.localization import Localization, WeighedEvidence

# Word -> the beginnings of `WeighedEvidence.type` that it means.
_KINDS: dict[str, tuple[str, ...]] = {
    word: tuple(kinds.split())
    for words, kinds in (
        ("phone telephone phones mobile dialling dialing", "reading.phone"),
        ("language languages", "reading.language"),
        ("script letters alphabet", "reading.script"),
        ("writing text texts signs ocr lettering", "reading."),
        ("domain url website web internet email mail", "reading.domain"),
        ("brand brands logo chain", "reading.brand"),
        ("price prices currency money", "reading.currency"),
        ("postcode zip postal", "reading.postcode"),
        ("plate plates licence license registration", "reading.plate reading.licence observation.plate"),
        ("town", "reading.place"),
        ("caption captions overlay subtitle", "reading.caption"),
        ("gps position coordinates", "metadata.gps hint.coordinates"),
        ("exif metadata", "metadata."),
        ("clock timezone zone", "metadata.time"),
        ("hint hints", "hint."),
        ("prior guess", "prior."),
        ("gallery retrieval", "retrieval. verification. gleam_x."),
        ("match matches", "verification. gleam_x."),
        ("observation observations", "observation."),
        ("driving", "observation.driving"),
        ("sun shadow", "sun."),
    )
    for word in words.split()
}
# Of what these kinds are, a caption may name one, too; all that captions name has a type of its own.
_CAPTIONED = {"reading.phone", "reading.place", "reading.domain"}
_FILLERS_LISTED = (
    "the a an this that these those my your its of from in on to with about for i we he she it you said say says see"
    " clue clues evidence finding findings piece pieces number numbers name names area code what which sign all any"
    " both place model"
)
_FILLERS = frozenset(_FILLERS_LISTED.split())
_ALL = re.compile(r"^(?:all|everything|every|all of)(?:\s+(?:the\s+)?(?:clues?|evidence|findings?|of (?:it|them)))?$")
_NUMBERED = re.compile(
    r"^(?:the\s+)?(?:clues?|evidence|findings?|items?|number|no\.?|pieces? of evidence)?\s*"
    r"(?P<n>#?\s*\w+(?:[\s,&#\u2013-]+\w+)*)$"
)
_ORDINAL = re.compile(r"^(?:the\s+)?(?P<n>\w+)\s+(?:clue|finding|piece of evidence|one)$")
_LAST = re.compile(r"^(?:the\s+)?last (?:clue|finding|piece of evidence|one)$")


class NoSuchClueError(ValueError):
    """The words mean clues, and the answer has none such; the text says what it has."""


def clues_meant(words: str, answer: Localization) -> list[WeighedEvidence]:
    """Return the clues that the words mean; empty where they mean no clue at all.

    Raises:
        NoSuchClueError: A number beyond the last clue.
    """
    text = words.casefold().strip(" .!?\"'")
    telling = [one for one in answer.evidence if one.likelihood != "nothing"]
    if _ALL.match(text):
        return telling
    if _LAST.match(text):
        return list(answer.evidence[-1:])
    named = _NUMBERED.match(text) or _ORDINAL.match(text)
    if numbers := numbers_in((_ORDINAL.match(text) or named)["n"] if named else ""):
        return _numbered(numbers, answer)
    return _described(text, telling)


def _numbered(numbers: tuple[int, ...], answer: Localization) -> list[WeighedEvidence]:
    count = len(answer.evidence)
    wrong = [number for number in numbers if not 1 <= number <= count]
    if wrong:
        have = "There is 1 clue" if count == 1 else f"There are {count} clues"
        raise NoSuchClueError(f"{have}, and no number {wrong[0]}.")
    return [answer.evidence[number - 1] for number in numbers]


def _described(text: str, telling: list[WeighedEvidence]) -> list[WeighedEvidence]:
    """By the kind of clue; what else is said must stand in the claim: "the phone number +351", "the plate"."""
    words = [word for word in re.findall(r"[^\W_]+", text) if word not in _FILLERS]
    kinds = [_of_captions_alone(_KINDS[word], telling) for word in words if word in _KINDS]
    rest = {word for word in words if word not in _KINDS}
    if not words:
        return []
    found = [one for one in telling if all(one.type.startswith(kind) for kind in kinds) and _says(one, rest)]
    # "The plate" may also stand in a claim of another kind, such as an observation's.
    return found or [one for one in telling if _says(one, set(words))]


def _of_captions_alone(kinds: tuple[str, ...], telling: list[WeighedEvidence]) -> tuple[str, ...]:
    """Mean captions where no clue is of these kinds, which a caption may name, too."""
    own = any(one.type.startswith(kinds) for one in telling)
    return kinds if own or not _CAPTIONED.issuperset(kinds) else _KINDS["caption"]


def _says(clue: WeighedEvidence, words: set[str]) -> bool:
    return words <= set(re.findall(r"[^\W_]+", f"{clue.claim} {clue.type}".casefold()))
