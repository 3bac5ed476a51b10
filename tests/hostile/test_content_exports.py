"""What strangers wrote, in every file that an answer becomes: it stays text."""

import csv
import importlib.util
import io
import json
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pypdf
import pytest

from geosleuth.agent.answer_row import COLUMNS, answer_row, failure_row
from geosleuth.agent.export import rows_to_csv, to_csv, to_geojson, to_kml
from geosleuth.agent.localization import Localization
from geosleuth.agent.printable import printable_json
from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.html_report import report_html
from geosleuth.agent.report.pdf_report import report_pdf
from geosleuth.indexes.photo import load_photo

_spec = importlib.util.spec_from_file_location("hostile_answer", Path(__file__).with_name("hostile_answer.py"))
assert _spec is not None
hostile = sys.modules.setdefault("hostile_answer", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(hostile)

ATTACKS = hostile.ATTACKS
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
KML = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture(scope="module", params=list(ATTACKS))
def attacked(request: pytest.FixtureRequest) -> Localization:
    return hostile.hostile_answer(ATTACKS[request.param])


@pytest.fixture(scope="module")
def benign() -> Localization:
    return hostile.hostile_answer("x")


class Page(HTMLParser):
    """The tags of a page with the names of their attributes, its words, and every address in it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: set[str] = set()
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "bdi":  # stands around what is in quotes, and an attack may hold some
            self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.addresses |= {value or "" for name, value in attrs if name in ("src", "srcset", "href", "action", "data")}

    def handle_data(self, data: str) -> None:
        self.words += data


def steers(text: str, allowed: str = "\n") -> list[str]:
    """Name the characters that a terminal or a reading direction would obey."""
    return sorted({hex(ord(char)) for char in text if not char.isprintable() and char not in allowed})


def content_of(answer: Localization) -> ReportContent:
    full = hostile.neighbour("agent/report/full.py")
    pictures = {one.reference_id: full.photo().pixels for one in answer.candidates[:1]}
    photo = replace(full.photo(), sha256=answer.photo.sha256, edits=answer.photo.edits)
    return ReportContent(answer, (photo,), pictures, full.custody(), case_name=answer.photo.name)


def test_kml_has_the_elements_that_it_has_with_harmless_words(attacked: Localization, benign: Localization) -> None:
    root = ElementTree.fromstring(to_kml(attacked))  # noqa: S314 - no entities are declared in it
    harmless = ElementTree.fromstring(to_kml(benign))  # noqa: S314
    assert [element.tag for element in root.iter()] == [element.tag for element in harmless.iter()]
    assert steers("".join(root.itertext())) == []


def test_a_viewer_of_kml_that_shows_descriptions_as_html_finds_no_tag(attacked: Localization) -> None:
    root = ElementTree.fromstring(to_kml(attacked))  # noqa: S314
    told = [element.text or "" for element in root.iter(f"{KML}description")]
    assert len(told) == 5  # the document, three references, the point
    assert [Page(text).tags for text in told] == [[]] * 5


@pytest.mark.parametrize("write", [to_geojson, lambda answer: printable_json(answer.model_dump_json(indent=2))])
def test_json_steers_no_terminal_and_loses_no_letter(attacked: Localization, write) -> None:
    text = write(attacked)
    assert steers(text) == []
    named = json.loads(text)
    named = named.get("geosleuth", named)
    assert (named["photo"] if isinstance(named["photo"], str) else named["photo"]["name"]) == attacked.photo.name


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("start", FORMULA_SIGNS)
def test_no_cell_is_a_formula_for_any_spreadsheet(separator: str, start: str) -> None:
    """Whichever separator its country has, and whether or not it heeds the quotes."""
    for text in (
        f"{start}1+1",
        f" {start}1",
        f'a;{start}1+1;"b',
        f'",\n{start}1',
        f"a; {start}1",
        f'";{start}1,"',
        f'a;"{start}1',
    ):
        rows = [failure_row(text, text), answer_row(hostile.hostile_answer(text), file=text)]
        table = rows_to_csv(rows)
        if separator == ",":
            cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
        else:  # for such a spreadsheet quotes inside of a line are letters
            cells = [cell for line in table.splitlines() for cell in line.split(separator)]
        found = [cell for cell in cells if cell.lstrip(' "').startswith(FORMULA_SIGNS) and not is_number(cell)]
        assert found == []


def test_negative_numbers_stay_numbers() -> None:
    answers = hostile.neighbour("ui/answers.py")
    row = next(csv.DictReader(io.StringIO(to_csv(answers.answer(entropy_bits=-0.0)))))
    assert [row[name] for name in ("lat", "lon", "entropy_bits")] == ["-17.8", "178.0", "-0.0"]
    quoted = [name for name, kind in COLUMNS.items() if kind is not str and row[name].startswith("'")]
    assert quoted == []


def test_words_with_a_hyphen_in_them_stay_as_they_are() -> None:
    row = next(csv.DictReader(io.StringIO(rows_to_csv([failure_row("a-b; c=d.jpg", "2 + 2 - 1 @ home")]))))
    assert (row["file"], row["error"]) == ("a-b; c=d.jpg", "2 + 2 - 1 @ home")


def test_the_report_as_html_has_the_tags_that_it_has_with_harmless_words(
    attacked: Localization, benign: Localization
) -> None:
    text = report_html(content_of(attacked))
    page, harmless = Page(text), Page(report_html(content_of(benign)))
    assert page.tags == harmless.tags
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert len(page.addresses) >= 3
    assert steers(text) == []
    assert "Content-Security-Policy" in text


def test_the_maps_in_the_report_hold_no_link_and_no_script(attacked: Localization) -> None:
    from geosleuth.agent.report.map_svg import map_svg

    root = ElementTree.fromstring(map_svg(attacked))  # noqa: S314
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {"svg", "title", "path", "text"}
    assert {
        name for element in root.iter() for name in element.attrib if "href" in name or name.startswith("on")
    } == set()


def test_the_report_as_pdf_links_and_runs_nothing() -> None:
    answer = hostile.hostile_answer("".join(ATTACKS.values()))
    reader = pypdf.PdfReader(io.BytesIO(report_pdf(content_of(answer))))
    kinds = {str(one.get_object().get("/Subtype")) for page in reader.pages for one in page.get("/Annots") or []}
    assert kinds <= {"None"}
    objects = [reader.get_object(number) for number in range(1, len(reader.xref[0]) + 1)]
    keys = {key for one in objects if isinstance(one, dict) for key in one}
    assert keys & {"/URI", "/JS", "/JavaScript", "/Launch", "/AA", "/OpenAction", "/EmbeddedFile", "/GoToR"} <= {
        "/OpenAction"
    }
    assert steers(str(reader.metadata.title)) == []


def test_a_file_name_that_is_no_text_at_all_can_be_exported(tmp_path: Path) -> None:
    """On most systems a file's name is bytes; those that are no UTF-8 come as halves of surrogate pairs."""
    answers = hostile.neighbour("ui/answers.py")
    full = hostile.neighbour("agent/report/full.py")
    path = tmp_path / "caf\udce9.png"
    try:
        from PIL import Image

        Image.fromarray(full.photo().pixels).save(path)
    except (OSError, UnicodeEncodeError):
        pytest.skip("names are Unicode on this system")
    name = load_photo(path).name
    answer = answers.answer(photo={"name": name, "sha256": "0" * 64, "size": [1, 1]})
    written = [to_geojson(answer), to_kml(answer), to_csv(answer), report_html(content_of(answer))]
    assert all(text.encode() for text in written)
    assert unescape("caf") in written[0]
