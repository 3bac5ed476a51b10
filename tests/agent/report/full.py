"""A full answer for the tests of the report: twelve pieces of evidence, three references, signs of all scripts."""

import importlib.util
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from geosleuth.agent.report.content import ReportContent
from geosleuth.indexes.photo import load_photo

spec = importlib.util.spec_from_file_location("answers", Path(__file__).parents[2] / "ui" / "answers.py")
answers = sys.modules.setdefault("answers", importlib.util.module_from_spec(spec))
spec.loader.exec_module(answers)

SIGNS = {
    "Latn": "Straße nach Łódź",
    "Grek": "Ελλάδα",
    "Cyrl": "Москва, улица Київська",
    "Arab": "سوق الخضار مفتوح",
    "Hebr": "שלום עולם",
    "Deva": "कृपया शान्ति रखें",
    "Beng": "বাংলাদেশ স্বাগতম",
    "Taml": "தமிழ்நாடு",
    "Thai": "กรุงเทพมหานคร",
    "Geor": "საქართველო",
    "Armn": "Հայաստան",
    "Ethi": "ኢትዮጵያ",
    "Khmr": "ភ្នំពេញ",
    "Laoo": "ວຽງຈັນ",
    "Mymr": "ရန်ကုန်",
    "Thaa": "މާލެ ސިޓީ",
    "Tfng": "ⵜⵉⴼⵉⵏⴰⵖ",
    "Tibt": "བོད་ལྗོངས་",
    "Sinh": "ශ්\u200dරී ලංකා",
}
ALL_SIGNS = tuple(SIGNS.values())
EAST_ASIAN = {"Hans": "北京市朝阳区", "Jpan": "東京都 ラーメン", "Hang": "서울특별시"}
BOX = [[10.0, 10.0], [200.0, 10.0], [200.0, 60.0], [10.0, 60.0]]


def sign(text: str, bits: float = 1.0, **changes: object) -> dict:
    support = [{"box": BOX, "text": text, "source": "CLDR"}]
    return answers.evidence(f'A sign reads "{text}".', bits) | {"support": support, "photo": 0} | changes


def photo():
    pixels = np.full((480, 640, 3), 200, dtype=np.uint8)
    pixels[:, ::8] = 90
    return load_photo(pixels, name="fiji.jpg")


def content(signs: tuple[str, ...] = ALL_SIGNS, **changes: object) -> ReportContent:
    evidence = [sign(text, 2.0 - i / 10) for i, text in enumerate(signs)]
    evidence += [
        answers.evidence("A price in dollars", -0.5),
        answers.evidence("No line of text on the left", 0.0, "nothing"),
        sign("left", 0.0, left_out=True),
        answers.evidence("The investigator says: in Fiji", 6.6) | {"tool": "hint", "type": "hint.country"},
    ]
    candidates = [answers.compared(n, verdict) for n, verdict in enumerate(("match", "no_match", None), start=1)]
    explanation = {
        "agreeing": ["同样的红色屋顶"],
        "disagreeing": [],
        "conclusion": "是同一个地方。",
        "language": "zh",
        "contradicts": False,
        "weights": "model@1",
    }
    judged = {"verdict": "match", "reason": "yes 0.9", "probability": 0.9, "weights": "model@1"}
    candidates[0]["judgement"] = judged | {"explanation": explanation}
    facts = {
        "evidence": evidence,
        "candidates": candidates,
        "contradictions": [{"claim": "Dollars and Fijian", "bits": 0.5, "evidence": [0, len(signs)]}],
        "notes": ["A note."],
    }
    answer = answers.answer(**facts | changes)
    pictures = {one.reference_id: np.full((60, 80, 3), 99, dtype=np.uint8) for one in answer.candidates}
    return ReportContent(answer, (photo(),), pictures, case_name="Case 7")


def custody():
    from geosleuth.agent.cases.custody import Custody, CustodyEvent

    at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    event = CustodyEvent(number=1, at=at, event="created", details={"name": "Case 7"}, previous="0" * 64)
    return Custody(
        case_id="a" * 32,
        owner="local",
        photos=(),
        versions={"geosleuth": "0.1.0"},
        settings={"index": None},
        weights={},
        events=(event,),
        head="f" * 64,
    )
