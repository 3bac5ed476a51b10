"""Features of invented towns in words, and found again in a text: English and Chinese, word forms, negations."""

from __future__ import annotations

import re
from functools import cache

from geosleuth.training.towns.language.feature import Language
from geosleuth.training.towns.language.vocabulary import BY_ID, FEATURES

# Look like a feature and are none: matched so that their words are not taken for it.
_OTHERS = {
    "en": r"(?:zebra|pedestrian|railway) crossings?|crosswalks?|family tree|watercolou?rs?",
    "zh": "斑马线|人行横道|树叶|塔吊",
}
# What takes back a feature that follows within a few words; "and", "but" and a comma end its reach, "or" does not.
_NO_EN = re.compile(
    r"(?:\b(?:no|without|lacks?|lacking|never|neither|nor|not|cannot|absence of|absent|missing|fails? to show)\b"
    r"|n['’]t\b)"
    r"(?!\s+(?:only|just|far)\b)(?:\s+(?!(?:and|but|while|whereas|though|only)\b)[\w-]+){0,5}\s*$",
    re.I,
)
_GONE_EN = re.compile(
    r"^\s*(?:(?:is|are|was|were|can|could)\s*)?(?:not\b|n['’]t\b|no longer\b|cannot\b|absent\b|missing\b|lacking\b"
    r"|nowhere\b)",
    re.I,
)
_NO_ZH = re.compile(
    r"(?:没有|并无|毫无|未见|不见|看不到|看不见|没看到|没见到|缺少|缺乏|不存在|未显示|未出现|不是|并非|没|无(?!论|数|法确定))"
    r"[^，。；！？（）但而]{0,8}$"
)
_GONE_ZH = re.compile(r"^[^，。；、]{0,4}?(?:不存在|缺失|看不到|看不见|没有|不可见|未见|未出现|不见)")
# "The tower is missing in the tile" says that the other picture has one.
_OTHER_EN = re.compile(
    r"\b(?:in|from|on|by) (?:the )?(?:\w+ )?(?:photo|candidate|tile|reference|satellite|query|map|drone|street view"
    r"|panorama|image|picture|view|first|second|other|latter|former)", re.I,
)  # fmt: skip
_OTHER_ZH = re.compile("照片|卫星|候选|参考|地图|无人机|全景|图")
_ENDS = {"en": re.compile(r"[.,;:!?()\n]"), "zh": re.compile(r"[，。；：！？（）\n,.;:!?()]")}
_INNER_NO = {"en": re.compile(r"\b(?:not|no)\b|n['’]t\b", re.I), "zh": re.compile("不是|不|没|非")}


def phrase(feature: str, lang: Language = "en") -> str:
    """Return a feature's noun, as in "a yellow centre line"."""
    return BY_ID[feature].wording(lang).phrase


def sentence(feature: str, lang: Language = "en") -> str:
    """Return a sentence that states it."""
    return BY_ID[feature].wording(lang).sentence


def named_features(text: str, lang: Language = "en") -> frozenset[str]:
    """Return which features a text says are there, in either of the pictures that it may speak of.

    The longest wording wins: "palm trees" are no trees along the road. "No water" is not water; "water, missing in the
    tile" is, since the other picture has it. A list after one "no" needs "or": "no trees, towers" has towers.
    """
    found = [
        (match.start(), match.end(), feature)
        for feature, pattern in _patterns(lang)
        for match in pattern.finditer(text)
        if match.end() > match.start()
    ]
    taken: list[tuple[int, int]] = []
    named: set[str] = set()
    for start, end, feature in sorted(found, key=lambda one: (one[0] - one[1], one[0])):
        if any(start < other_end and other_start < end for other_start, other_end in taken):
            continue
        taken.append((start, end))
        if feature and not _taken_back(text, start, end, lang):
            named.add(feature)
    return frozenset(named)


@cache
def _patterns(lang: Language) -> tuple[tuple[str | None, re.Pattern[str]], ...]:
    def compiled(pattern: str) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)" if lang == "en" else pattern, re.I)

    own = [(one.id, compiled(one.wording(lang).pattern)) for one in FEATURES]
    return (*own, (None, compiled(_OTHERS[lang])))


def _taken_back(text: str, start: int, end: int, lang: Language) -> bool:
    """Whether a negation before, within or after a wording takes it back."""
    before, after = text[:start], text[end:]
    before = _ENDS[lang].split(before)[-1]
    after = _ENDS[lang].split(after, maxsplit=1)[0]
    if _INNER_NO[lang].search(text[start:end]):
        return True
    no, gone, other = (_NO_EN, _GONE_EN, _OTHER_EN) if lang == "en" else (_NO_ZH, _GONE_ZH, _OTHER_ZH)
    if no.search(before):
        return True
    return bool(gone.search(after)) and not other.search(after)
