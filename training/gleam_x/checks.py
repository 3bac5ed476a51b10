"""What is wrong with an explanation that came back: told on its label, in the wrong language, too short, contradictory.

A check looks at words alone; whether a named thing is in the pictures is for `second_look.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from geosleuth.training.gleam_x.conclusion import stated
from geosleuth.training.gleam_x.record import Label, Language, Reasons

Check = Literal["json", "cut_off", "leak", "language", "too_short", "too_long", "contradiction", "imagined", "verdicts"]


@dataclass(frozen=True, slots=True)
class Failed:
    """A check that an explanation did not pass."""

    check: Check
    detail: str  # in words, for the teacher and for people

    def __str__(self) -> str:
        return self.detail


# Ways to say that one was told. A label may be on a bottle, and "certain" before any noun: those stay, and so do what a
# sign states, what a river is known as, and the annotation of a map.
_LEAKS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\bground[- ]truth\b|\bannotators?\b|\b(?:given|provided|true|data|human|expert)\s+annotations?\b"
        r"|\bannotations?\s+(?:says?|states?|tells?|indicates?|confirms?)\s+that\b"
        r"|\b(?:label|annotat)(?:l?ed|ion\s+is)\s+(?:as\s+)?(?:a\s+|an?other\s+|the\s+)?(?:non-?\s?)?"
        r"(?:match|same|different|no[ _]match)"
        r"|\b(?:given|true|correct|provided|known|stated|match(?:ing)?|your)\s+label\b"
        r"|\b(?:according\s+to|based\s+on|per|following|consistent\s+with)\s+(?:the|its|this|a)\s+label\b"
        # A shop's label says "BAKERY".
        r"|\blabel\s+(?:says|said|states|indicates|tells|confirms)\b(?!\s*:?\s*(?:[\"'“‘]|(?-i:[A-Z]{2})))"
        r"|\blabel\s+(?:is\s+)?(?:given|provided)\b"
        r"|\blabel\s+is\s+[\"'“‘]?(?:a\s+|an?other\b|that\b|the\s+same|match|no[ _]|same|different)"
        r"|\bgiven\s+(?:that|the\s+fact)\b[^.]{0,30}\b(?:match|same|different|another)"
        r"|\b(?:as|was|were|been|being|am|are)\s+(?:already\s+)?(?:told|informed|instructed)\b"
        r"|\b(?:I|we)\s+(?:was|were|am|are|have\s+been)\s+(?:already\s+)?given\b"
        r"|\byou(?:['’]ve|\s+have|\s+already)*\s+(?:said|say|told|tell|stated|state|gave|mentioned|confirmed)\b"
        r"|\b(?:as|per|by)\s+(?:stated|specified|instructed|instructions?|provided|given)\b"
        r"(?!\s+(?:there|here|on|in|by|at|above|below)\b)"
        r"|\baccording\s+to\s+(?:the\s+|your\s+)?(?:prompt|question|instructions?|task|user|information)\b"
        r"|\b(?:in|by|from)\s+(?:the|your)\s+(?:prompt|question|instructions?|task)\b"
        r"|\b(?:the|your)\s+(?:prompt|question|instructions?|task|user)\s+"
        r"(?:says?|said|states?|stated|tells?|told|indicates?|confirms?|gives?|gave|claims?)\b"
        r"|\b(?:known|provided|given|stated|correct)\s+(?:answer|verdict|fact|information)\b"
        r"|\bthe\s+(?:answer|verdict)\s+(?:is|was|must|has)\b"
        r"|\bit(?:\s+is|['’]s)\s+(?:already\s+)?known\b(?!\s+(?:as|for)\b)|\bis\s+known\s+that\b"
        r"|\bknown\s+to\s+be\s+(?:another|(?:a\s+|the\s+)?(?:match|same|different))|\bthat\s+is\s+certain\b",
        re.I,
    ),
    "zh": re.compile(
        "标签|真值|(?:人工|给定|数据|图像|图片|已有)标注|标注(?:为|显示|表明|说)|已知|(?:被|已)告知|事先(?:得到|知道|告诉)"
        "|根据(?:提示|题目|问题|任务|给定|所给|提供)|(?:题目|提示|题干|任务|指令|用户)[中里]?(?:说|指出|给出|表明|已|告诉)"
        "|正确答案|因为答案|答案(?:是|为)|[你您](?:已经?|曾)?(?:说|告诉)|这一点是确定的"
    ),
}
# Characters of a feature ("gate" says something, "x" does not) and of a conclusion. A sentence of Chinese has a third
# of the characters of an English one.
_SHORTEST: dict[Language, tuple[int, int]] = {"en": (3, 12), "zh": (2, 5)}
# Words, of Chinese characters: twice what a feature was asked to have, and twice what one short sentence has, so that
# three features of each kind and the conclusion stay near the verifier's 128 tokens.
_LONGEST: dict[Language, tuple[int, int]] = {"en": (12, 40), "zh": (20, 80)}
# Share of letters that are Han: names on signs may be of the other script.
_HAN_LEAST_ZH, _HAN_MOST_EN = 0.5, 0.3
# By how many nats another Latin language must beat English in py3langid's scores, which add up over a text's runs of
# letters: explanations in French, German, Portuguese and Dutch lead by 85 to 181, English lists of nouns lose by none.
_FOREIGN_NATS = 15.0
_LATIN_LEAST = 40  # letters; its first choice is a guess on less


def failed_checks(reasons: Reasons | None, label: Label, language: Language, *, finished: bool = True) -> list[Failed]:
    """Check an explanation.

    Args:
        reasons: None: the answer held no readable JSON with a conclusion.
        label: Which verdict it explains.
        language: In which it should be.
        finished: False: it was cut off at the limit of tokens.
    """
    if reasons is None:
        what = Failed("cut_off", "it was cut off") if not finished else Failed("json", "it holds no JSON with the keys")
        return [what]
    found = [] if finished else [Failed("cut_off", "it was cut off")]
    found += _leaked(reasons)
    found += _language(reasons, language)
    found += _lengths(reasons, language)
    return found + contradictions(reasons, label)


def contradictions(reasons: Reasons, label: Label) -> list[Failed]:
    """What in the lists and the conclusion speaks against the verdict."""
    if (said := stated(reasons.conclusion)) not in (None, label):
        what = "are the same" if said == "match" else "differ"
        return [Failed("contradiction", f"its conclusion says that the places {what}, against the verdict")]
    if label == "match" and not reasons.agreeing:
        return [Failed("contradiction", "it says that the places are the same and names no feature that agrees")]
    if label == "no_match" and not reasons.disagreeing:
        return [Failed("contradiction", "it says that the places differ and names no feature that does")]
    return []


def _leaked(reasons: Reasons) -> list[Failed]:
    for line in _lines(reasons):
        for pattern in _LEAKS.values():  # whatever language was asked for
            if found := pattern.search(unicodedata.normalize("NFKC", line)):
                return [Failed("leak", f'it mentions what was told ("{found[0][:60]}")')]
    return []


def _language(reasons: Reasons, language: Language) -> list[Failed]:
    text = " ".join(_lines(reasons))
    letters = [char for char in text if char.isalpha()]
    share = sum("\u3400" <= char <= "\u9fff" for char in letters) / max(len(letters), 1)
    if language == "zh":
        return [] if share >= _HAN_LEAST_ZH else [Failed("language", "it is not written in Chinese")]
    latin = sum(char.isascii() or unicodedata.name(char, "").startswith("LATIN") for char in letters)
    if share > _HAN_MOST_EN or latin < (1 - _HAN_MOST_EN) * len(letters):
        return [Failed("language", "it is not written in English")]
    other = _foreign(text) if latin >= _LATIN_LEAST else None
    return [Failed("language", f"it is not written in English (but in {other!r})")] if other else []


def _foreign(text: str) -> str | None:
    """The code of the language that a text is surely in, where that is not English."""
    from py3langid.langid import rank

    scores = {code: float(score) for code, score in rank(text.lower())}
    best = max(scores, key=lambda code: scores[code])
    return best if best != "en" and scores[best] - scores["en"] > _FOREIGN_NATS else None


def _lengths(reasons: Reasons, language: Language) -> list[Failed]:
    features = (*reasons.agreeing, *reasons.disagreeing)
    feature_least, conclusion_least = _SHORTEST[language]
    feature_most, conclusion_most = _LONGEST[language]
    found = []
    if len(reasons.conclusion) < conclusion_least or any(len(one) < feature_least for one in features):
        found.append(Failed("too_short", "its conclusion or a feature says next to nothing"))
    if length(reasons.conclusion, language) > conclusion_most or any(
        length(f, language) > feature_most for f in features
    ):
        found.append(
            Failed("too_long", f"a feature has more than {feature_most} words, or the conclusion {conclusion_most}")
        )
    return found


def length(text: str, language: Language) -> int:
    """Words; of Chinese, characters."""
    return sum(char.isalnum() for char in text) if language == "zh" else len(text.split())


def _lines(reasons: Reasons) -> Sequence[str]:
    return (*reasons.agreeing, *reasons.disagreeing, reasons.conclusion)
