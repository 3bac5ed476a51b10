"""The notebooks run from top to bottom on drawn scenes, and are committed without outputs."""

import csv
import shutil
from pathlib import Path

import pytest

from geosleuth.agent.calibration import load_calibration

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("pandas")

FOLDER = Path(__file__).parents[2] / "notebooks"
SEARCHED = (0.2, 1.2)  # lowest and highest temperature that the search behind the calibration that ships tried
BOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST_S = 120  # of one cell, on a machine that does other things as well

# Runs before the first cell: whatever asks another host ends the notebook.
NO_NETWORK = """
import socket as _socket

def _refused(self, address):
    raise AssertionError(f"a connection to {address}")

_connect = _socket.socket.connect
_socket.socket.connect = lambda self, to: _connect(self, to) if self.family == _socket.AF_UNIX else _refused(self, to)
_socket.getaddrinfo = lambda *asked, **_: _refused(None, asked)
"""

# What must stand in the outputs: a notebook that runs through and shows nothing is no good.
SHOWN = {
    "01_one_photo": (
        "read_text",
        "localized - The country's probability is 9",
        "France: 99",
        '"CONCARNEAU" is the name of Concarneau in France',
        'The investigator says "not Concarneau"',
        "driving_side: Which side do cars keep to?",
        "answer.kml",
        "report.html",
    ),
    "02_a_folder": (
        "broken.jpg",
        "failed: Wanted a photo",
        "6 of 6 rows were there already",
        "Portugal",
        "Japan",
        "Germany",
        "not_locatable",
        "results.geojson",
        "second_camera/bakery.jpg",
    ),
    "03_gallery": ("12 references from 12 images, 0 skipped", "10 candidates verified: 1 match, 9 no match", "007.jpg"),
    "04_reading_an_answer": (
        "50% of the belief lie within",
        "photos, 20",
        'without: "CONCARNEAU"',
        "findings contradict each other",
        "The file's EXIF places it at 35.01160, 135.76810",
        'the investigator says "in Japan"',
        "Before any evidence France is",
    ),
}
PICTURES = {"01_one_photo": 2, "02_a_folder": 2, "03_gallery": 3, "04_reading_an_answer": 1}


def test_there_are_four_notebooks_and_each_is_checked():
    assert [book.stem for book in BOOKS] == list(SHOWN) == list(PICTURES)


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_a_notebook_is_committed_without_outputs_and_with_ids_that_stay(book):
    read = nbformat.read(book, as_version=4)
    nbformat.validate(read)
    coded = [cell for cell in read.cells if cell.cell_type == "code"]
    assert len(coded) >= 5
    assert [cell for cell in coded if cell.outputs or cell.execution_count is not None] == []
    assert [cell.id for cell in read.cells] == [f"{book.stem[:2]}-{n:02d}" for n in range(1, len(read.cells) + 1)]
    assert set(read.metadata) == {"kernelspec", "language_info"}  # nothing about the machine on which it was written


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_a_notebook_runs_from_top_to_bottom_without_a_network(book, tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "notebooks", ignore=shutil.ignore_patterns("out", "__pycache__"))
    read = nbformat.read(book, as_version=4)
    read.cells.insert(0, nbformat.v4.new_code_cell(NO_NETWORK))
    client = nbclient.NotebookClient(read, timeout=LONGEST_S, resources={"metadata": {"path": str(folder)}})
    client.execute()
    outputs = [output for cell in read.cells if cell.cell_type == "code" for output in cell.outputs]
    data = [output.get("data", {}) for output in outputs]
    text = "\n".join([output.get("text", "") for output in outputs] + [one.get("text/plain", "") for one in data])
    assert [words for words in SHOWN[book.stem] if words not in text] == []
    pictures = [kind for one in data for kind in one if kind.startswith("image/")]
    assert len(pictures) == PICTURES[book.stem]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    if book.stem == "02_a_folder":
        _see_files(folder / "out")


def _see_files(out):
    """Two photos of one name have a file each, and the table is guarded against formulas as every other is."""
    rows = list(csv.DictReader((out / "results.csv").open(encoding="utf-8", newline="")))
    assert [row["file"].rpartition("/")[2] for row in rows].count("bakery.jpg") == 2
    placed = {row["sha256"][:8] for row in rows if row["lat"]}
    assert len(placed) == 4  # the street, both bakeries, the camera's position
    assert {path.stem for path in out.glob("*.kml")} == placed


def test_no_notebook_writes_a_table_past_the_guard_against_formulas():
    for book in BOOKS:
        code = "\n".join(cell.source for cell in nbformat.read(book, as_version=4).cells if cell.cell_type == "code")
        assert ".to_csv(" not in code, book.stem  # of pandas; `to_csv(answer)` and `rows_to_csv` are geosleuth's


def test_what_is_said_of_the_weights_is_true_of_those_that_ship():
    """All stand at the bound of the search: a notebook that calls them fitted must say that as well."""
    book = nbformat.read(FOLDER / "04_reading_an_answer.ipynb", as_version=4)
    words = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    lowest, highest = SEARCHED
    assert set(load_calibration().temperatures.values()) == {highest}  # another fit? Then say anew what it found
    assert f"between {lowest} and {highest}" in words
    assert f"Where all stand at {highest}, the largest value that was tried" in words
