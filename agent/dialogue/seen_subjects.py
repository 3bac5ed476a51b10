"""What an investigator may be speaking of: per question the words of its subject and of its answers, and no others.

A sentence is an observation only if each of its words stands here: one word more ("no", "hardly", "beside", "lamp") may
turn its meaning round, so an unknown word is a refusal. Gaps within a pattern are bounded, so that no text takes long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

COLOURS = ("white", "yellow", "black", "blue", "red", "green")
PLATE_WORDS = "plate plates number license licence registration private car cars cars' vehicle vehicles"
_LINE_WORDS = "line lines marking markings road street painted paint solid broken dashed continuous single double of"
_LEFT, _RIGHT = r"\bleft\b", r"\bright\b"


@dataclass(frozen=True)
class Subject:
    """A question that a sentence may answer."""

    question: str  # its key
    named: re.Pattern[str]
    options: dict[str, re.Pattern[str]]  # by the answer's key
    words: frozenset[str]  # besides `EVERYWHERE`


# Words that change no observation. "maybe" and "not" are none of these.
_EVERYWHERE_LISTED = (
    "the a an this these those here that there it is are was were be i we you they can see saw think believe seems"
    " seem looks look have has of in on at to with most mostly all clearly"
)
EVERYWHERE = frozenset(_EVERYWHERE_LISTED.split())


def _subject(question: str, named: str, words: str, **options: str) -> Subject:
    compiled = {key: re.compile(pattern) for key, pattern in options.items()}
    return Subject(question, re.compile(named), compiled, frozenset(words.split()))


def _colours() -> dict[str, str]:
    return {colour: rf"\b{colour}\b" for colour in COLOURS}


# Somebody keeps left: "keep left" by itself may be what a sign says.
_KEEP = r"\b(?:cars|traffic|people|everybody|everyone|drivers|vehicles|they|we) keeps?"


def _side(side: str) -> str:
    return rf"\bon (?:the|its|their) {side}\b|\b{side}[- ]hand traffic\b|{_KEEP} (?:to the )?{side}$"


SUBJECTS = (
    _subject(
        "driving_side",
        r"\b(?:driv(?:e|es|ing)|keep(?:s|ing)?|traffic|cars go)\b.{0,60}\bon (?:the|its|their)\b"
        rf"|\b(?:left|right)[- ]hand traffic\b|{_KEEP} (?:to the )?(?:left|right)$",
        "cars car people everybody everyone drivers vehicles traffic buses lorries trucks drive drives driving keep"
        " keeps keeping go its their side road street hand left-hand right-hand left right",
        left=_side("left"),
        right=_side("right"),
    ),
    _subject(
        "midday_sun",
        r"\bsun\b.{0,60}\b(?:midday|noon)\b|\b(?:midday|noon)\b.{0,60}\bsun\b|\bdish(?:es)?\b",
        "sun midday noon stands stood satellite dish dishes point points pointing face faces facing towards due south"
        " southwards southward north northwards northward",
        south=r"\bsouth(?:wards?)?\b",
        north=r"\bnorth(?:wards?)?\b",
    ),
    _subject(
        "plate_front",
        r"\b(?:front (?:number |licen[cs]e |registration )?plates?|plates? (?:at|on|in) (?:the )?front)\b",
        f"front {PLATE_WORDS} {' '.join(COLOURS)}",
        **_colours(),
    ),
    _subject(
        "plate_rear",
        r"\b(?:(?:rear|back) (?:number |licen[cs]e |registration )?plates?"
        r"|plates? (?:at|on|in) (?:the )?(?:rear|back))\b",
        f"rear back {PLATE_WORDS} {' '.join(COLOURS)}",
        **_colours(),
    ),
    _subject(
        "plate_strip",
        r"\bplates?\b.{0,60}\bstrip\b|\bstrip\b.{0,60}\bplates?\b",
        f"blue strip end ends side sides both left top along {PLATE_WORDS}",
        left=_LEFT,
        both=r"\bboth (?:ends|sides)\b",  # "both plates have a strip" says nothing of where
        top=r"\btop\b",
        none=r"\b(?:no|without)(?: an?| any)?(?: blue)? strip\b",
    ),
    _subject("plate_shape", r"\bplates?\b", f"long short {PLATE_WORDS}", long=r"\blong\b", short=r"\bshort\b"),
    _subject(
        "centre_line",
        r"\b(?:cent(?:re|er)|middle) (?:line|marking)s?\b"
        r"|\bline (?:in|between|along) the (?:middle|cent(?:re|er)|two)\b",
        f"centre center middle between along two directions white yellow {_LINE_WORDS}",  # lanes may be one direction's
        white=r"\bwhite\b",
        yellow=r"\byellow\b",
    ),
    _subject(
        "edge_line",
        r"\bedge (?:line|marking)s?\b|\bline (?:at|along|on) the (?:outer )?edge\b",
        f"edge outer along country white yellow {_LINE_WORDS}",
        white=r"\bwhite\b",
        yellow=r"\byellow\b",
    ),
    _subject(
        "warning_sign",
        r"\bwarning signs?\b",
        "warning sign signs white yellow triangle triangles triangular red rim rims border borders diamond diamonds"
        " square squares its their corner corners",
        triangle_white=r"\bwhite triang|\btriang\w*\b.{0,60}\bwhite\b",
        triangle_yellow=r"\byellow triang|\btriang\w*\b.{0,60}\byellow\b",
        diamond=r"^(?!.*\b(?:white|red)\b).*(?:\bdiamonds?\b|\bsquares? on (?:its|their) corner)",  # yellow is meant
    ),
    _subject(
        "poles",
        r"\b(?:poles?|pylons?)\b",
        "pole poles pylon pylons telephone power electricity utility made from wood wooden concrete metal steel iron",
        wood=r"\bwood(?:en)?\b",
        concrete=r"\bconcrete\b",
        metal=r"\b(?:metal|steel|iron)\b",
    ),
    _subject(
        "chevron",
        r"\b(?:chevrons?|arrows?)\b",
        "chevron chevrons arrow arrows bend bends curve curves sharp sign signs and ground background"
        f" {' '.join(COLOURS)}",
        black_on_yellow=r"\bblack on (?:a )?yellow\b",
        yellow_on_black=r"\byellow on (?:a )?black\b",
        red_white=r"\bred and white\b|\bwhite and red\b|\bred on (?:a )?white\b|\bwhite on (?:a )?red\b",
        white_on_black=r"\bwhite on (?:a )?black\b",
        white_on_blue=r"\bwhite on (?:a )?blue\b",
        yellow_on_blue=r"\byellow on (?:a )?blue\b",
    ),
    _subject(
        "bollard",
        r"\b(?:bollards?|posts?)\b",
        "bollard bollards post posts low along road roads country white black red yellow band bands cap caps reflector"
        " reflectors alone only",
        black_band=r"\bblack (?:band|cap)s?\b",
        red_band=r"\bred bands?\b",
        yellow=r"^(?!.*\b(?:white|black|red|reflectors?|bands?|caps?)\b).*\byellow\b",  # the post itself
        plain=r"\breflectors? (?:alone|only)\b",
    ),
)
