"""What an investigator sees, in words: "cars drive on the left", "the front plate is yellow", or "left" when asked."""

from __future__ import annotations

import re
from functools import cache

from geosleuth.agent.dialogue.seen_subjects import COLOURS, EVERYWHERE, PLATE_WORDS, SUBJECTS, Subject
from geosleuth.agent.localization import Localization

_SCRIPT_LISTED = "letters letter script scripts alphabet writing written text texts signs sign characters"
_SCRIPT_WORDS = frozenset(_SCRIPT_LISTED.split())
_WRITTEN = re.compile(r"\b(?:letters?|script|alphabet|writing|text|signs?)\b")
_DENIAL = re.compile(
    r"\b(?:no|not|never|none|without|neither|nor|hardly|barely|rarely|seldom|lacks?|lacking|missing|absent|except|cannot"
    r"|(?:is|are|was|were|do|does|did|can|could|has|have|had|wo|would)n'?t)\b"
)
_ASKED = re.compile(r"(?:is|are|was|were|do|does|did|can|has|have|what|which|where|why|how|if|unless)\b")
_NO_STRIP = re.compile(r"\b(?:no|without)(?= (?:an? |any )?(?:blue )?strip\b)")  # the one denial that is an answer
_COLOUR = rf"\b({'|'.join(COLOURS)})\b"
_PLATE = re.compile(rf"\bplates?\b.{{0,60}}{_COLOUR}|{_COLOUR}.{{0,60}}\bplates?\b")
_PLATE_KNOWN = EVERYWHERE | frozenset((*PLATE_WORDS.split(), *COLOURS, "front", "rear", "back", "and", "both"))


def seen_in(sentence: str, answer: Localization | None) -> tuple[str, str] | None:
    """Return the keys of a question and of its answer; None where the sentence is not for certain an observation."""
    text = sentence.casefold()
    if "?" in text or _ASKED.match(text):
        return None
    return _as_told().get(text) or _of_subject(text) or _script(text) or _as_asked(text, answer)


def plate_without_end(sentence: str) -> str | None:
    """Return the colour of "the plate is yellow": which end decides which question it answers."""
    text = sentence.casefold()
    found = None if "?" in text or not _words(text) <= _PLATE_KNOWN else _PLATE.search(text)
    return (found[1] or found[2]) if found else None


def subject_of(sentence: str) -> str | None:
    """Return the key of the question that a sentence speaks of, naming an answer, though it may not give it."""
    text = sentence.casefold()
    if "?" in text:
        return None
    for subject in SUBJECTS:
        if subject.named.search(text) and _chosen(subject, text):
            return subject.question
    return "script" if _WRITTEN.search(text) and _scripts_named(text) else None


def denies(sentence: str) -> bool:
    """Whether it says what is not so."""
    return _DENIAL.search(sentence.casefold()) is not None


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+(?:[-'][^\W_]+)*", text))


def _chosen(subject: Subject, text: str) -> list[str]:
    return [option for option, words in subject.options.items() if words.search(text)]


def _of_subject(text: str) -> tuple[str, str] | None:
    if re.search(r"\bhand[- ]drive\b", text):  # where the wheel is, not where the car goes
        return None
    for subject in SUBJECTS:
        if not subject.named.search(text):
            continue
        chosen = _chosen(subject, text)
        said = _NO_STRIP.sub(" ", text, count=1) if chosen == ["none"] else text
        if len(chosen) == 1 and _words(said) <= EVERYWHERE | subject.words:
            return subject.question, chosen[0]
    return None


@cache
def _as_told() -> dict[str, tuple[str, str]]:
    """How the answer itself tells of each observation; these are the suggestions after a refusal."""
    from geosleuth.tools.observations import QUESTIONS

    return {one.says.casefold(): (key, one.key) for key, asked in QUESTIONS.items() for one in asked.options}


def _scripts_named(text: str) -> dict[str, str]:
    """Name as it stands in the text -> key of the script."""
    from geosleuth.tools.observations import QUESTIONS

    names = {option.text.split()[0].casefold(): option.key for option in QUESTIONS["script"].options}
    return {name: key for name, key in names.items() if name in _words(text)}


def _script(text: str) -> tuple[str, str] | None:
    """Find the name of a script beside a word for writing: "the letters are Cyrillic"."""
    named = _scripts_named(text) if _WRITTEN.search(text) else {}
    if len(named) != 1 or not _words(text) <= EVERYWHERE | _SCRIPT_WORDS | named.keys():
        return None
    return "script", next(iter(named.values()))


def _as_asked(text: str, answer: Localization | None) -> tuple[str, str] | None:
    """A short reply to one of the answer's open questions; two that would take it are none."""
    asked = answer.questions if answer is not None else ()
    fits = [
        (question.key, option.key)
        for question in asked
        for option in question.options
        if text in (option.text.casefold(), f"{question.key}: {option.key}".casefold(), f"on the {option.key}")
    ]
    return fits[0] if len(fits) == 1 else None
