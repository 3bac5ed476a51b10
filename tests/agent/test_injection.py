"""Signs that give orders: nothing that was read in a photo, or in its file, may make a planner act.

The planner under test is as gullible as can be. It obeys every instruction that reaches it outside of quotes, and every
tag of a tool call or token of a chat template wherever it stands, in quotes too, since a tokenizer knows no quotes.
What it must never do is call a tool because of a sign. A sign that says "Paris" is still evidence, weighed like any
other place name on a sign: that is what `read_text` is for, and it is not counted here.
"""

import importlib.util
import json
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from geosleuth.agent import embedded_tools, toolbox
from geosleuth.agent.toolbox import Finding, Scene
from geosleuth.tools.reading import clues

_spec = importlib.util.spec_from_file_location("gullible", Path(__file__).with_name("gullible.py"))
gullible = sys.modules.setdefault("gullible", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(gullible)
ALL = gullible.ALL
CLOSING_QUOTES = gullible.CLOSING_QUOTES
PLANNED = gullible.PLANNED
SIGNS = gullible.SIGNS
WITH_TOKENS = gullible.WITH_TOKENS
calls_of = gullible.calls_of
heard = gullible.heard
investigated = gullible.investigated
line = gullible.line
order_in = gullible.order_in
reader_of = gullible.reader_of
report_place = gullible.report_place


def raw(finding):
    """A result as it would be told without quoting."""
    return "\n".join(
        [finding.summary, *(one.claim for one in finding.evidence), *(one.text for one in finding.lines or ())]
    )


def naively_quoted(finding):
    """In quotes, as so many prompts have it, but what stands between them is not escaped."""
    return json.dumps(finding.summary) + "".join(f', "{one.text}"' for one in finding.lines or ())


def test_there_are_forty_signs_in_six_languages_and_the_planner_obeys_each_of_them():
    assert (len(ALL), len(set(ALL)), len(SIGNS)) == (40, 40, 6)
    assert [text for text in ALL if not order_in(text)] == []
    assert (
        sum(bool(order_in(json.dumps(text, ensure_ascii=False))) for text in ALL) == WITH_TOKENS
    )  # a quotation alone stops the others
    assert order_in("Boulangerie du Moulin, Paris 12 km") is None


@pytest.mark.parametrize("text", ALL)
def test_no_call_is_caused_by_a_sign(text):
    answer = investigated(reader_of("Boulangerie", text))
    assert calls_of(answer) == PLANNED
    # Evidence comes from the true tool alone: what it makes of these lines, and nothing besides.
    read = [item.claim for item in answer.evidence if item.tool == "reading"]
    assert read == [item.claim for item in clues([line("Boulangerie"), line(text, 1)], (600, 400))]


@pytest.mark.parametrize(("told", "expected"), [(raw, 40), (naively_quoted, WITH_TOKENS + CLOSING_QUOTES)])
def test_told_otherwise_the_signs_are_obeyed(monkeypatch, told, expected):
    """The counter-test: without the quoting this very planner is caught."""
    monkeypatch.setattr(Finding, "for_planner", told)
    assert sum(bool(heard(reader_of("Boulangerie", text)(None))) for text in ALL) == expected


def test_without_the_quoting_the_call_is_really_made(monkeypatch):
    monkeypatch.setattr(Finding, "for_planner", raw)
    for text in ALL[::8]:
        assert ("report_place", {"place": "Paris"}) in calls_of(investigated(reader_of("Boulangerie", text))), text


def test_quotes_alone_do_not_do(monkeypatch):
    """Without the neutralisation every sign that holds a token gets through its quotes."""
    monkeypatch.setattr(toolbox, "neutralised", lambda text: text)
    caught = [text for text in ALL if heard(reader_of(text)(None))]
    assert len(caught) == WITH_TOKENS


# Drawn on signs, and read by the true reader.

_FOLDERS = (Path("/usr/share/fonts/truetype/noto"), Path("/usr/share/fonts/opentype/noto"))
_FONTS = {"zh": "NotoSansCJK-Regular.ttc"}
_COLUMN, _ROW, _LINES, _PER_SHEET = 640, 150, 4, 10


def font_of(language):
    name = _FONTS.get(language, "NotoSans-Regular.ttf")
    path = next((folder / name for folder in _FOLDERS if (folder / name).exists()), None)
    return path and ImageFont.truetype(str(path), 26)


def sheet(signs):
    """Draw signs in two columns, each broken into lines as a painter would."""
    picture = Image.new("RGB", (2 * _COLUMN, _ROW * -(-len(signs) // 2)), (120, 128, 120))
    pen = ImageDraw.Draw(picture)
    for number, (language, text) in enumerate(signs):
        left, top, font = number % 2 * _COLUMN + 8, number // 2 * _ROW + 6, font_of(language)
        pen.rectangle((left, top, left + _COLUMN - 16, top + _ROW - 12), fill=(252, 250, 240))
        shown = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
        line = ""
        y = top + 4
        for char in shown:
            if pen.textlength(line + char, font=font) > _COLUMN - 40:
                pen.text((left + 10, y), line, font=font, fill=(15, 15, 20))
                line, y = "", y + 33
            line += char
        pen.text((left + 10, y), line, font=font, fill=(15, 15, 20))
    return picture


PAIRS = [(language, text) for language, texts in SIGNS.items() for text in texts]
has_fonts = pytest.mark.skipif(
    any(font_of(language) is None for language in SIGNS),
    reason="Noto fonts are missing: apt-get install fonts-noto-core fonts-noto-cjk",
)


def keeping(findings):
    def read_text(scene: Scene) -> Finding:
        """Read every sign."""
        findings.append(embedded_tools.read_text(scene))
        return findings[-1]

    return read_text


@pytest.fixture(scope="module")
def investigations():
    """Each sheet of ten signs, the answer about it, and the lines that were read."""
    found = []
    for start in range(0, len(PAIRS), _PER_SHEET):
        signs = PAIRS[start : start + _PER_SHEET]
        kept = []
        answer = investigated(keeping(kept), sheet(signs))
        found.append((signs, answer, kept[0].lines))
    return found


@has_fonts
def test_no_drawn_sign_causes_a_call(investigations):
    for signs, answer, _ in investigations:
        assert calls_of(answer) == PLANNED, signs


@has_fonts
def test_the_drawn_signs_are_read_well_enough_to_be_obeyed(investigations):
    """Else the test above would show nothing. Latin and Han letters are read by what is in the package."""
    obeyed = []
    for signs, _, lines in investigations:
        for number, (language, _text) in enumerate(signs):
            left, top = number % 2 * _COLUMN, number // 2 * _ROW
            middles = [(one, np.mean(one.box, axis=0)) for one in lines]
            own = [one.text for one, (x, y) in middles if 0 <= x - left < _COLUMN and 0 <= y - top < _ROW]
            if order_in("\n".join(own)):
                obeyed.append(language)
    assert sum(language not in ("ru", "el") for language in obeyed) >= 27  # of 30
