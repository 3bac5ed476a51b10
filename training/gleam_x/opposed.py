"""Whether phrases of much the same words deny each other: "red roof", "no red roof", "grey roof"."""

from __future__ import annotations

import re
import unicodedata

_NOT = re.compile(
    r"\b(?:no|not|without|lack(?:s|ing)?|never|none|neither|nor|missing|absent|cannot)\b|n['’]t\b|[没无未缺不非]"
)
# What tells places apart, by kind; a Chinese "one" is an article mostly.
_KINDS = (
    re.compile(
        r"\b(?:red|gr[ae]y|green|blue|white|black|brown|yellow|orange|pink|purple|beige|dark)\b|[红灰绿蓝白黑棕黄橙粉紫]"
    ),
    re.compile(
        r"\d+|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|single|double)\b|[单两双二三四五六七八九十]"
    ),
    re.compile(r"\b(?:left|right|north|south|east|west|front|behind|rear|back)\b|[左右南北东西前后]"),
)
_ALIKE = {"gray": "grey", "rear": "back", "behind": "back", "single": "1", "one": "1", "单": "1", "double": "2"} | {
    sign: str(number)
    for number, signs in enumerate(
        ("two 两 二 双", "three 三", "four 四", "five 五", "six 六", "seven 七", "eight 八", "nine 九", "ten 十"),
        start=2,
    )
    for sign in signs.split()
}
_HARMLESS = re.compile("两张?图|无人机|非常|东西")  # "both pictures", "drone", "very", "thing"


def opposed(one: str, other: str) -> bool:
    """Tell whether one is negated and the other is not, or both name colours, numbers or sides, and not the same."""
    a, b = (_HARMLESS.sub(" ", unicodedata.normalize("NFKC", phrase).casefold()) for phrase in (one, other))
    if bool(_NOT.search(a)) != bool(_NOT.search(b)):
        return True
    named = [[{_ALIKE.get(word, word) for word in kind.findall(text)} for text in (a, b)] for kind in _KINDS]
    return any(not (mine <= theirs or theirs <= mine) for mine, theirs in named)
