"""What an investigator sees, in words: "cars drive on the left", "the front plate is yellow", or "left" when asked."""

from __future__ import annotations

import re

from geosleuth.agent.localization import Localization

# Words of a question's subject, and the question's key; sentences are matched by subject and answer together.
# Gaps between the words of a pattern are bounded, so that no text takes long.
_LEFT, _RIGHT = r"\bleft\b", r"\bright\b"
_COLOURS = "white yellow black blue red green"
_SUBJECTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        (
            r"\b(?:driv(?:e|es|ing)|keep(?:s|ing)?|traffic|cars go)\b.{0,60}\bon (?:the|its|their)\b"
            r"|\b(?:left|right)[- ]hand traffic\b"
            r"|\bkeeps? (?:to the )?(?:left|right)$"
        ),
        "driving_side",
        {"left": _LEFT, "right": _RIGHT},
    ),
    (
        r"\bsun\b.{0,60}\b(?:midday|noon)\b|\b(?:midday|noon)\b.{0,60}\bsun\b|\bdish(?:es)?\b",
        "hemisphere",
        {"south": r"\bsouth(?:wards?)?\b", "north": r"\bnorth(?:wards?)?\b"},
    ),
    (
        r"\b(?:front (?:number |licen[cs]e |registration )?plates?|plates? (?:at|on|in) (?:the )?front)\b",
        "plate_front",
        {colour: rf"\b{colour}\b" for colour in _COLOURS.split()},
    ),
    (
        (
            r"\b(?:(?:rear|back) (?:number |licen[cs]e |registration )?plates?"
            r"|plates? (?:at|on|in) (?:the )?(?:rear|back))\b"
        ),
        "plate_rear",
        {colour: rf"\b{colour}\b" for colour in _COLOURS.split()},
    ),
    (
        r"\bplates?\b.{0,60}\bstrip\b|\bstrip\b.{0,60}\bplates?\b",
        "plate_strip",
        {"left": _LEFT, "both": r"\bboth\b", "top": r"\btop\b", "none": r"\b(?:no|without)\b"},
    ),
    (
        r"\bplates?\b",
        "plate_shape",
        {"long": r"\blong\b", "short": r"\bshort\b"},
    ),
    (
        (
            r"\b(?:cent(?:re|er)|middle) (?:line|marking)s?\b"
            r"|\bline (?:in|between|along) the (?:middle|cent(?:re|er)|two)\b"
        ),
        "centre_line",
        {"white": r"\bwhite\b", "yellow": r"\byellow\b"},
    ),
    (
        r"\bedge (?:line|marking)s?\b|\bline (?:at|along|on) the (?:outer )?edge\b",
        "edge_line",
        {"white": r"\bwhite\b", "yellow": r"\byellow\b"},
    ),
    (
        r"\bwarning signs?\b",
        "warning_sign",
        {
            "triangle_white": r"\bwhite triang|\btriang\w*\b.{0,60}\bwhite\b",
            "triangle_yellow": r"\byellow triang|\btriang\w*\b.{0,60}\byellow\b",
            "diamond": r"\bdiamonds?\b|\bsquares? on (?:its|their) corner",
        },
    ),
    (
        r"\b(?:poles?|telephone poles?|power poles?|pylons?)\b",
        "poles",
        {"wood": r"\bwood(?:en)?\b", "concrete": r"\bconcrete\b", "metal": r"\b(?:metal|steel|iron)\b"},
    ),
    (
        r"\b(?:chevrons?|arrows?)\b",
        "chevron",
        {
            "black_on_yellow": r"\bblack on (?:a )?yellow\b",
            "yellow_on_black": r"\byellow on (?:a )?black\b",
            "red_white": r"\bred and white\b|\bwhite and red\b|\bred on (?:a )?white\b|\bwhite on (?:a )?red\b",
            "white_on_black": r"\bwhite on (?:a )?black\b",
            "white_on_blue": r"\bwhite on (?:a )?blue\b",
            "yellow_on_blue": r"\byellow on (?:a )?blue\b",
        },
    ),
    (
        r"\b(?:bollards?|posts?)\b",
        "bollard",
        {
            "black_band": r"\bblack (?:band|cap)\b",
            "red_band": r"\bred band\b",
            "yellow": r"\byellow\b",
            "plain": r"\breflectors? (?:alone|only)\b",
        },
    ),
)
_COMPILED = tuple(
    (re.compile(subject), key, {option: re.compile(words) for option, words in options.items()})
    for subject, key, options in _SUBJECTS
)
_WRITTEN = re.compile(r"\b(?:letters?|script|alphabet|writing|text|signs?)\b")
# Denied, asked, or said of the picture and not of the scene ("on the left of the photo").
_NO_FINDING = re.compile(
    r"\b(?:photo|picture|image|not|never|don't|doesn't|isn't|aren't|cannot|can't|if|unless|which|what|neither)\b"
)
_PLATE = re.compile(
    rf"\bplates?\b.{{0,60}}\b({_COLOURS.replace(' ', '|')})\b|\b({_COLOURS.replace(' ', '|')})\b.{{0,60}}\bplates?\b"
)


def seen_in(sentence: str, answer: Localization | None) -> tuple[str, str] | None:
    """Return the keys of a question and of its answer; None where the sentence is no observation."""
    text = sentence.casefold()
    if "?" in text or _NO_FINDING.search(text):
        return None
    return _of_subject(text) or _script(text) or _as_asked(text, answer)


def plate_without_end(sentence: str) -> str | None:
    """Return the colour of "the plate is yellow": which end decides which question it answers."""
    text = sentence.casefold()
    if "?" in text or _NO_FINDING.search(text):
        return None
    found = _PLATE.search(text)
    return (found[1] or found[2]) if found else None


def _of_subject(text: str) -> tuple[str, str] | None:
    for subject, question, options in _COMPILED:
        if subject.search(text):
            chosen = [option for option, words in options.items() if words.search(text)]
            if len(chosen) == 1:
                return question, chosen[0]
    return None


def _script(text: str) -> tuple[str, str] | None:
    """Find the name of a script beside a word for writing: "the letters are Cyrillic"."""
    from geosleuth.tools.observations import QUESTIONS

    question = QUESTIONS.get("script")
    if question is None or not _WRITTEN.search(text):
        return None
    named = [option.key for option in question.options if re.search(rf"\b{option.text.split()[0].casefold()}\b", text)]
    return ("script", named[0]) if len(named) == 1 else None


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
