import importlib.util
import io
import re
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pypdf
import pytest
from PIL import Image
from pypdf.generic import ContentStream

from geosleuth.agent.precision import snap
from geosleuth.agent.report import fonts, pdf_report
from geosleuth.agent.report.blocks import shown
from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.html_report import report_html
from geosleuth.agent.report.map_drawing import draw_map
from geosleuth.agent.report.pdf_report import report_pdf
from geosleuth.agent.report.sections import report_of
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.photo_edit import Edit, edited

spec = importlib.util.spec_from_file_location("full", Path(__file__).with_name("full.py"))
full = sys.modules.setdefault("full", importlib.util.module_from_spec(spec))
spec.loader.exec_module(full)

RIGHT_TO_LEFT = ("Arab", "Hebr", "Thaa")
ATTACK = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """The words and tags of a page, as a browser would take them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._style = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._style = tag in ("style", "title")
        if tag != "bdi":
            self.words.append(" ")

    def handle_data(self, data):
        if not self._style:
            self.words.append(data)

    def handle_endtag(self, tag):
        self._style = False
        if tag != "bdi":
            self.words.append(" ")

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


@cache
def usual_pdf() -> bytes:
    return report_pdf(full.content())


@cache
def usual_html() -> str:
    return report_html(full.content())


def spoken(pdf: bytes) -> str:
    """All that the document gives as ActualText."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    found = []
    for page in reader.pages:
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator == b"BDC" and "/ActualText" in operands[1]:
                found.append(str(operands[1]["/ActualText"]))
    return "\n".join(found)


def test_html_and_pdf_say_the_same():
    content = full.content((full.SIGNS["Latn"], full.SIGNS["Grek"], full.SIGNS["Cyrl"]))
    content = replace(content, custody=full.custody())
    html = Counter(Page(report_html(content)).text.split())
    pdf = report_pdf(content)
    report = report_of(content)
    drawn = Counter(word for one in draw_map(content.answer, width=720, height=420).words for word in one.text.split())
    written = Counter(word for page in pages(pdf) for word in page.split())
    chinese = Counter(word for word in html if re.search("[\u4e00-\u9fff]", word))
    assert html - written - chinese == Counter()
    count = len(pages(pdf))
    numbers = Counter(f"Page {n} of {count}" for n in range(1, count + 1))
    more = Counter(word for line in numbers for word in line.split())
    for _ in range(count):
        more += Counter(report.running_head.split())
    heads = Counter(word for head in ("No. Bits Claim Source Photo", "Name") for word in head.split())
    surplus = {
        word for word in written - html - drawn - more - heads if word.strip("•") and not re.search("[一-鿿]", word)
    }
    assert surplus == set()


def test_what_a_report_must_have_is_there():
    text = Page(report_html(replace(full.content(), custody=full.custody()))).text
    for words in (
        "A hypothesis with a probability, not a finding",
        "half of the belief lies within 42 km",
        "No. 22 was left out",
        "The investigator says: in Fiji",
        "Dollars and Fijian (evidence 2, 18;",
        "It concludes 是同一个地方。",
        "10 of 40 feature matches agree",
        "Its edge is no border",
        "A note.",
        "0" * 64,
        "The chain is whole; its last line has the SHA-256 " + "f" * 64,
        "2026-11-21 12:00:00 UTC",
        "GeoNames (CC BY 4.0)",
        "reading: No line of text on the left",
    ):
        assert words in text, words


def test_evidence_is_numbered_by_strength_and_what_is_left_out_comes_last():
    grid = next(s for s in report_of(full.content(("a", "b"))).sections if s.title == "Evidence").blocks[1]
    assert [row[:3] for row in grid.rows] == [
        ("1", "+6.6", "The investigator says: in Fiji"),
        ("2", "+2.0", 'A sign reads "a".'),
        ("3", "+1.9", 'A sign reads "b".'),
        ("4", "-0.5", "A price in dollars"),
        ("5", "left out", 'A sign reads "left".'),
    ]
    assert [row[4] for row in grid.rows] == ["stated", "1", "1", "1", "1"]


def test_every_script_is_set_and_can_be_read_back():
    pdf = usual_pdf()
    text, actual = "\n".join(pages(pdf)), spoken(pdf)
    assert "[U+" not in text
    for script, sign in full.SIGNS.items():
        if script in RIGHT_TO_LEFT or script in ("Latn", "Grek", "Cyrl"):
            assert sign in text, script  # readers bring right-to-left letters into their order themselves
        else:
            assert f'A sign reads "{sign}".' in actual, script


def test_each_script_comes_from_its_own_font():
    reader = pypdf.PdfReader(io.BytesIO(usual_pdf()))
    names = {
        str(font.get_object()["/BaseFont"]) for page in reader.pages for font in page["/Resources"]["/Font"].values()
    }
    scripts = "Arabic Hebrew Devanagari Bengali Tamil Thai Georgian Armenian Ethiopic Khmer Lao Myanmar Sinhala"
    for name in [f"NotoSans{script}" for script in f"{scripts} Thaana Tifinagh".split(" ")] + ["NotoSerifTibetan"]:
        assert any(one.endswith(name) or f"{name}-" in one for one in names), name


def test_east_asian_signs_are_set_with_the_systems_fonts():
    signs = tuple(full.EAST_ASIAN.values())
    if not fonts.suiting(signs[0]):
        pytest.skip("this system has no font for Han characters, such as Debian's fonts-noto-cjk")
    actual = spoken(report_pdf(full.content(signs)))
    assert all(f'A sign reads "{sign}".' in actual for sign in signs)


def test_letters_of_the_same_han_characters_follow_the_language():
    if not (japanese := fonts.suiting("東京都 ラーメン")) or "NotoSansCJK" not in japanese[0].path.name:
        pytest.skip("this system has no Noto CJK, such as Debian's fonts-noto-cjk")
    assert [fonts.suiting(text)[0].number for text in ("東京都 ラーメン", "서울 市", "北京市")] == [0, 1, 2]


def test_what_no_font_draws_is_written_as_code_points_and_said(monkeypatch):
    monkeypatch.setattr(fonts, "suiting", lambda _: [])
    monkeypatch.setattr(fonts, "_found_by_fontconfig", lambda _: None)
    text = "\n".join(pages(report_pdf(full.content(("北京",), candidates=[]))))
    assert 'A sign reads "[U+5317][U+4EAC]".' in text
    assert "No font of this computer draws 2 of this report's characters (U+4EAC, U+5317)" in text
    assert "fonts-noto-cjk" in text


def test_a_strangers_words_are_no_markup():
    candidate = full.answers.compared(1, "match", uri=ATTACK)
    content = full.content((ATTACK,), candidates=[candidate], notes=[ATTACK], reason=ATTACK)
    content = replace(content, case_name=ATTACK)
    page = Page(report_html(content))
    allowed = (
        "html head meta title style body header main section h1 h2 h3 p table thead tbody tr th td ul li figure "
        "figcaption picture source img div bdi"
    )
    assert {tag for tag, _ in page.tags} <= set(allowed.split())
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count("<script>alert(1)</script>") >= 4  # as words


def test_the_page_asks_for_nothing():
    page = Page(usual_html())
    sources = [
        attributes[name] for _, attributes in page.tags for name in ("src", "srcset", "href") if name in attributes
    ]
    assert len(sources) == 2 + 1 + 2 * 3  # two maps, the photo, three pairs
    assert all(source.startswith("data:image/") for source in sources)
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "url(" not in usual_html()


def test_pictures_describe_themselves_and_tables_have_heads():
    page = Page(usual_html())
    assert all(attributes["alt"] for tag, attributes in page.tags if tag == "img")
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    assert dict(page.tags)["html"] == {"lang": "en"}
    assert ("td", {"dir": "auto", "lang": "zh"}) in page.tags


def test_a_quotation_keeps_its_own_direction():
    assert "reads &quot;<bdi>שלום עולם</bdi>&quot;." in usual_html()


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("left\u202eright", "left\\u202eright"),
        ("two\nlines\t!", "two lines !"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian: the joiner is part of the spelling
        ("ab\u200dcd", "ab\\u200dcd"),  # Latin: it only hides
    ],
)
def test_control_characters_are_seen(text, safe):
    assert shown(text) == safe


def test_pictures_carry_no_metadata():
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret caption"
    Image.fromarray(np.full((300, 400, 3), 128, dtype=np.uint8)).save(stream, "JPEG", exif=exif)
    content = replace(full.content(("a",)), photos=(load_photo(stream.getvalue(), name="x.jpg"),))
    picture = next(s for s in report_of(content).sections if s.title == "Photo").blocks[0].pictures[0]
    assert b"secret caption" in stream.getvalue()
    assert b"secret" not in picture.jpeg
    assert not Image.open(io.BytesIO(picture.jpeg)).getexif()


def test_the_box_of_a_sign_is_drawn_with_its_number():
    content = full.content(("a",))
    picture = next(s for s in report_of(content).sections if s.title == "Photo").blocks[0].pictures[0]
    drawn = np.asarray(Image.open(io.BytesIO(picture.jpeg)).convert("RGB")).astype(int)
    amber = (drawn[..., 0] > 200) & (drawn[..., 2] < 90)
    rows, columns = np.nonzero(amber)
    assert abs(columns.min() - 10) <= 3  # the box begins at x = 10, y = 10 and has a label below
    assert abs(rows.min() - 10) <= 3
    assert rows.max() < 120
    assert "Boxes show where evidence 2, 4 was read." in picture.caption


def test_a_capped_answer_gives_nothing_finer_away():
    content = full.content(point={"lat": -17.812345, "lon": 178.012345}, city=None)
    assert "walk/001.jpg" in report_html(content)
    point = snap(-17.812345, 178.012345, 100.0)
    update = {"point": point, "candidates": (), "radius_km": 100.0, "precision_cap_km": 100.0}
    capped = content.answer.model_copy(update=update)  # as `coarsen` leaves it
    assert len(report_of(ReportContent(capped, (), content.reference_pictures)).sections) < len(
        report_of(content).sections
    )
    text = Page(report_html(ReportContent(capped, content.photos, content.reference_pictures))).text
    assert "Coarsened on purpose to 100 km" in text
    assert "17.81" not in text
    assert "178.01" not in text
    assert "walk/001.jpg" not in text
    assert "data:image/jpeg" not in text


def test_no_place_no_photo_no_case():
    content = ReportContent(full.answers.nowhere())
    assert "No place can be told from this photo" in Page(report_html(content)).text
    assert any("No place can be told from this photo" in page for page in pages(report_pdf(content)))


def test_photos_that_the_tools_did_not_see_so_are_refused():
    """On these, boxes and lines would lie wrong."""
    seen = full.photo()
    facts = {"name": seen.name, "sha256": seen.sha256, "size": list(seen.size)}
    answer = full.answers.answer(photo=facts, photos=[facts])
    assert ReportContent(answer, (seen,)).photos == (seen,)
    for other in (edited(seen, Edit(rotate_deg=180)), load_photo(seen.pixels[1:])):
        with pytest.raises(InputError, match=r"fiji\.jpg, 640 x 480 pixels, as the answer's tools saw it"):
            ReportContent(answer, (other,))


def test_the_same_content_gives_the_same_files():
    content = replace(full.content(("a",)), custody=full.custody())
    assert report_pdf(content) == report_pdf(content)
    assert report_html(content) == report_html(content)


def test_the_pdf_says_what_it_is():
    reader = pypdf.PdfReader(io.BytesIO(usual_pdf()))
    assert reader.metadata.title == "Where was this photo taken? Case 7"
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert [str(one["/Title"]) for one in reader.outline if isinstance(one, dict)][:3] == ["Answer", "Map", "Photo"]
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert text.startswith("Case 7, SHA-256 000000000000")
        assert f"Page {number} of {len(reader.pages)}" in text


def test_a_long_claim_and_a_long_name_stay_on_the_page():
    long = "word " * 2000 + "x" * 3000
    pdf = report_pdf(full.content((long,), candidates=[]))
    together = "".join("".join(pages(pdf)).split())
    assert together.count("x") >= 3000
    assert together.count("word") >= 2000


def test_two_reports_take_seconds_and_not_minutes():
    content = full.content(tuple(full.SIGNS.values())[:9])  # twelve pieces of evidence that tell, three references
    start = time.process_time()
    report_html(content)
    between = time.process_time()
    report_pdf(content)
    assert between - start < 20.0  # s of one core: a bound against minutes, and no benchmark
    assert time.process_time() - between < 40.0


def test_without_fpdf_a_person_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(pdf_report.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install 'geosleuth\[report\]'"):
        report_pdf(full.content())


def test_the_fonts_come_with_their_licence():
    assert "SIL OPEN FONT LICENSE" in (fonts.folder() / "OFL.txt").read_text("utf-8")
    assert sum(path.stat().st_size for path in fonts.folder().glob("*.ttf")) < 3_200_000
    assert len(fonts.shipped()) == 23


def test_a_broken_chain_is_said_first_thing():
    custody = full.custody().model_copy(update={"broken": "line 1 cannot be read"})
    assert (
        "The chain is broken: line 1 cannot be read" in Page(report_html(replace(full.content(), custody=custody))).text
    )


def test_next_to_nothing_has_no_sign():
    evidence = [full.answers.evidence(f"claim {bits}", bits) for bits in (-0.04, 0.04, -0.06)]
    grid = report_of(full.content(evidence=evidence, contradictions=[])).sections[3].blocks[1]
    assert {row[2]: row[1] for row in grid.rows} == {"claim -0.04": "0.0", "claim 0.04": "0.0", "claim -0.06": "-0.1"}
