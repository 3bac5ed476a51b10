"""Which verdict a conclusion states, in English or Chinese; unclear ones state none."""

from __future__ import annotations

import re
import unicodedata

from geosleuth.training.gleam_x.record import Label

_PLACE = r"(?:places?|locations?|sites?|spots?)"
_PLACE_ZH = "(?:地方|地点|位置|场所)"
_OTHER = re.compile(
    # "Not the same place"; "not only the roof", "do not change that it is the same place" deny something else.
    rf"(?:\bnot|\bcannot|n['’]t|\bnever|\bneither|\bhardly|\bunlikely)(?!\s+only)(?:\s+(?!that\b)\w+){{0,3}}?"
    rf"\s+(?:same|identical)\s+{_PLACE}\b"
    rf"|\bno\s+(?:sign|evidence|indication|proof)\b[^.;]{{0,30}}?\b(?:same|identical)\s+{_PLACE}\b"
    # Cars in both pictures may stand "in different places".
    rf"|(?<!\bin )(?<!\bat )(?<!\bfrom )(?<!\bfrom a )\b(?:different|distinct|other|another|separate)\s+{_PLACE}\b"
    rf"|\b(?:places|locations|pictures|images|photos|views)\s+(?:do\s+not|don['’]t)\s+match\b|\bno[ _]match\b"
    rf"|\bnot\s+a\s+match\b|\b{_PLACE}\s+(?:is|are)\s+(?:clearly\s+)?(?:different|not\s+the\s+same)\b"
    rf"|(?:不是|并非|不属于|不在)(?:在)?同一(?:个|处)?{_PLACE_ZH}|不同的?(?:两个)?{_PLACE_ZH}(?!只|仅|在于|是)"
    rf"|另外?(?:一个|一处){_PLACE_ZH}|{_PLACE_ZH}(?:并?不(?:一样|相同|同))|两(?:张)?图(?:片)?不匹配",
    re.I,
)
_SAME = re.compile(
    rf"\b(?:same|identical)\s+{_PLACE}\b|\b{_PLACE}\s+(?:is|are)\s+(?:clearly\s+)?(?:the\s+same|identical)\b"
    rf"|\b(?:places|locations|pictures|images|photos|views)\s+match\b"
    rf"|同一(?:个|处)?{_PLACE_ZH}|(?<!不)相同的?{_PLACE_ZH}|{_PLACE_ZH}(?:一致|相同)",
    re.I,
)


def stated(conclusion: str) -> Label | None:
    """Read the verdict.

    Returns:
        None where none is stated, or both are: "it could be another place, but the roof shows that it is the same".
    """
    text = unicodedata.normalize("NFKC", conclusion)
    rest, others = _OTHER.subn(" ", text)
    same = bool(_SAME.search(rest))
    if bool(others) == same:
        return None
    return "match" if same else "no_match"
