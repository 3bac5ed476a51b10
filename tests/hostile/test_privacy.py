"""What leaves a run besides its answer: no connection, no word in the log, no temporary file, no photo's metadata.

The same with the network cut and the system's own watch over sockets: benchmarks/robustness/privacy.py.
"""

import base64
import contextlib
import importlib.util
import io
import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from geosleuth.agent.agent import Agent
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.inquiry import Inquiry
from geosleuth.agent.references import References
from geosleuth.agent.report.content import ReportContent
from geosleuth.agent.report.fonts import BOLD, folder
from geosleuth.agent.settings import Settings
from geosleuth.agent.tool_images import image_message, photo_message_part
from geosleuth.agent.toolbox import ToolImage
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.ui.shell import logs_to_stderr

_spec = importlib.util.spec_from_file_location("hostile_answer", Path(__file__).with_name("hostile_answer.py"))
assert _spec is not None
hostile = sys.modules.setdefault("hostile_answer", importlib.util.module_from_spec(_spec))
assert _spec.loader is not None
_spec.loader.exec_module(hostile)
watched_sockets = hostile.neighbour("hostile/watched.py").watched_sockets
answers = hostile.neighbour("ui/answers.py")

NAME, SIGN = "witness-house", "FARMACIA"  # of the photo's file; on a sign in it
WRITTEN = ("MAKERSECRET", "SERIAL4815", "NOTESECRET", "COMMENTSECRET", "XMPSECRET", "ARTISTSECRET")
LISBON = (38.7223, -9.1393)


def picture() -> Image.Image:
    drawn = Image.new("RGB", (480, 240), (120, 128, 120))
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((40, 60, 440, 150), fill=(252, 250, 240))
    pen.text((70, 70), SIGN, font=ImageFont.truetype(folder() / BOLD, 60), fill=(15, 15, 20))
    return drawn


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    """A photo with what cameras write: position, serial number, maker's note, comment, XMP."""
    exif = Image.Exif()
    exif.update({0x010F: WRITTEN[0], 0x013B: WRITTEN[5]})
    camera = exif.get_ifd(0x8769)
    camera.update({0xA431: WRITTEN[1], 0x927C: WRITTEN[2].encode() * 9, 0x9003: "2024:06:01 12:30:00"})
    degrees = [((38.0, 43.0, 20.3), "N"), ((9.0, 8.0, 21.5), "W")]
    gps = exif.get_ifd(0x8825)
    gps.update({1: degrees[0][1], 2: degrees[0][0], 3: degrees[1][1], 4: degrees[1][0]})
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- {WRITTEN[4]} --></x:xmpmeta>'.encode()
    file = io.BytesIO()
    picture().save(file, "JPEG", exif=exif, xmp=xmp, comment=WRITTEN[3].encode(), quality=92)
    content = file.getvalue()
    assert all(one.encode() in content for one in WRITTEN)
    return content


class Left:
    """What a run left behind."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.log = ""
        self.files: list[Path] = []
        self.answer = None


@pytest.fixture(scope="module")
def left(jpeg: bytes, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Run the true tools on the photo, with a gallery, in a case, up to its reports and exports."""
    from geosleuth.agent.export import to_csv, to_geojson, to_kml
    from geosleuth.agent.report.html_report import report_html

    galleries = hostile.neighbour("agent/galleries.py")
    street, found = galleries.street(4), Left()
    gallery = galleries.MemoryGallery(street.references, street.pixels)
    temporary, cases = tmp_path_factory.mktemp("temporary"), tmp_path_factory.mktemp("cases")
    with pytest.MonkeyPatch.context() as patch, watched_sockets() as found.tried, _log() as log:
        patch.setattr(tempfile, "tempdir", str(temporary))
        agent = Agent(Settings(), references=References(gallery, galleries.Thumbnails(), "embedded"))
        store = CaseStore(cases)
        case = store.create(NAME)
        case = store.add_photo(case.id, jpeg, f"{NAME}.jpg")
        case = store.begin_turn(case.id, Inquiry())
        *_, last = agent.session(store.photos(case)).ask(case.turns[-1].inquiry)
        found.answer = last.localization
        store.finish_turn(case.id, 1, found.answer)
        store.export(case.id, originals=True)
        content = ReportContent(found.answer, tuple(store.photos(case)), custody=store.custody(store.open(case.id)))
        assert report_html(content)
        assert all(write(found.answer) for write in (to_csv, to_geojson, to_kml))
    found.log, found.files = log.getvalue(), list(temporary.rglob("*"))
    return found


@contextlib.contextmanager
def _log():
    """Take what a command, or the chat, would log by default; of other libraries too."""
    stream = io.StringIO()
    with contextlib.redirect_stderr(stream), logs_to_stderr(verbose=False):
        logging.getLogger("geosleuth").warning("the log begins")
        yield stream
    assert stream.getvalue().startswith("the log begins\n")


def test_the_run_saw_the_sign_and_the_position(left: Left) -> None:
    """Else the tests below would show nothing."""
    claims = " ".join(one.claim for one in left.answer.evidence)
    assert SIGN.lower() in claims.lower()
    assert f"{LISBON[0]:.2f}" in claims


def test_nobody_is_asked_without_a_configured_server(left: Left) -> None:
    assert left.tried == []


def test_the_watch_would_have_seen_it() -> None:
    import urllib.error
    import urllib.request

    with watched_sockets() as tried, pytest.raises(urllib.error.URLError):
        urllib.request.urlopen("http://192.0.2.1/x.jpg")
    assert len(tried) == 1


def test_no_photo_and_no_place_is_in_the_log(left: Left) -> None:
    assert left.log == "the log begins\n"


def test_no_temporary_file_stays(left: Left) -> None:
    assert left.files == []


def test_a_trace_in_the_log_ends_with_the_kind_of_its_error_alone() -> None:
    with _log() as stream:
        try:
            raise ValueError(f"{NAME}.jpg says {SIGN} at {LISBON}")
        except ValueError as error:
            logging.getLogger("geosleuth.ui.page.runs").error("a run failed", exc_info=error)
    text = stream.getvalue()
    assert "test_privacy.py" in text  # where it was
    assert text.endswith("ValueError (--verbose has its words)\n")
    assert not [
        word for word in (NAME, "says FARMACIA", "38.7") if word in text.replace('f"{NAME}.jpg says {SIGN}', "")
    ]


def test_a_fault_of_the_page_is_logged_without_its_words() -> None:
    """Streamlit's loggers have handlers of their own, which it makes anew when it reads its options."""
    pytest.importorskip("streamlit")
    from streamlit import config, error_util, logger

    from geosleuth.ui.chat_command import streamlit_options

    rich = "logger.enableRich"
    before = config.get_option(rich)
    assert streamlit_options("127.0.0.1", 1)[rich] == "false"  # else Rich, where it is installed, writes to stdout
    with _log() as stream:
        config.set_option(rich, False)
        logger.setup_formatter(error_util._LOGGER)
        try:
            raise ValueError(NAME)
        except ValueError as error:
            error_util._log_uncaught_app_exception(error)
    config.set_option(rich, before)
    logger.setup_formatter(error_util._LOGGER)  # it writes to this test's stream no more
    text = stream.getvalue()
    assert "Uncaught app execution\nTraceback" in text
    assert text.endswith("ValueError (--verbose has its words)\n")
    assert NAME not in text


@pytest.mark.parametrize("how", ["whole", "damaged", "interrupted"])
def test_a_video_that_was_handed_in_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """The decoder reads files only, so that its bytes lie in a temporary folder for that time."""
    from geosleuth.indexes import video

    film = hostile.neighbour("indexes/test_video.py")
    content = film.film(tmp_path / "clip.mp4", [film.scene(i) for i in range(10)]).read_bytes()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    seen = []

    def stopped(path: Path, *_: object) -> None:
        seen.append(path.stat().st_size)
        raise KeyboardInterrupt

    if how == "interrupted":
        monkeypatch.setattr(video, "_frames", stopped)
        with pytest.raises(KeyboardInterrupt):
            video.frames(content, 1)
        assert seen == [len(content)]  # it was there
    elif how == "damaged":
        with pytest.raises(InputError):
            video.frames(content[:600], 1)
    else:
        assert len(video.frames(content, 1)) == 1
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("error", [None, OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_download_that_needs_a_file_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException | None
) -> None:
    from geosleuth.agent import export
    from geosleuth.ui.page.downloads import downloads

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (parquet,) = [one for one in downloads(answers.answer(), (), None) if one.key == "parquet"]
    if error is None:
        assert parquet.make()[:4] == b"PAR1"
    else:

        def failing(*_: object) -> None:
            (next(tmp_path.iterdir()) / "half").write_bytes(b"half")
            raise error

        monkeypatch.setattr(export, "to_geoparquet", failing)
        with pytest.raises(type(error)):
            parquet.make()
    assert list(tmp_path.iterdir()) == []


# What goes out: pictures without what a camera wrote.


def segments(jpeg: bytes) -> set[int]:
    """The markers of a JPEG before its picture (ISO/IEC 10918-1, annex B)."""
    found, at = set(), 2
    while jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        found.add(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return found


def assert_bare(jpeg: bytes) -> None:
    assert segments(jpeg) & ({*range(0xE1, 0xF0)} | {0xFE}) == set()  # APP1 to APP15, and comments; APP0 is JFIF's
    image = Image.open(io.BytesIO(jpeg))
    assert not image.getexif()
    assert {"exif", "xmp", "comment", "photoshop", "icc_profile"} & set(image.info) == set()
    assert not [word for word in WRITTEN if word.encode() in jpeg]


def photo_of(jpeg: bytes) -> Photo:
    photo = load_photo(jpeg, name=f"{NAME}.jpg")
    assert WRITTEN[0].encode() in (photo.exif or b"")
    return photo


def test_the_test_would_see_what_a_camera_wrote(jpeg: bytes) -> None:
    assert segments(jpeg) >= {0xE1, 0xFE}
    with pytest.raises(AssertionError):
        assert_bare(jpeg)


def test_pictures_for_a_model_carry_nothing_of_the_file(jpeg: bytes) -> None:
    photo = photo_of(jpeg)
    parts = [photo_message_part(photo)]
    parts += [one for one in image_message([ToolImage(photo.pixels, "x")]).content if one["type"] == "image"]
    assert len(parts) == 2
    for part in parts:
        assert_bare(base64.b64decode(part["base64"]))


def test_reports_carry_nothing_of_the_file(jpeg: bytes) -> None:
    import re

    import pypdf

    from geosleuth.agent.report.html_report import report_html
    from geosleuth.agent.report.pdf_report import report_pdf

    photo = photo_of(jpeg)
    one = answers.answer(candidates=[answers.compared(1, "match")])
    content = ReportContent(one, (photo,), {one.candidates[0].reference_id: photo.pixels})
    html = [base64.b64decode(data) for data in re.findall(r"data:image/jpeg;base64,([^\"]+)", report_html(content))]
    assert len(html) == 3  # the photo, and the pair
    pdf = report_pdf(content)
    images = [image for page in pypdf.PdfReader(io.BytesIO(pdf)).pages for image in page.images]
    assert images  # equal ones are in it once
    for picture in html:
        assert_bare(picture)
    assert not [word for word in WRITTEN for data in (pdf, *(image.data for image in images)) if word.encode() in data]


def test_drawn_matches_and_previews_carry_nothing_of_the_file(jpeg: bytes, tmp_path: Path) -> None:
    from geosleuth.indexes.photo_edit import Edit
    from geosleuth.ui.page.photos import preview
    from geosleuth.ui.pictures import write_pictures

    galleries = hostile.neighbour("agent/galleries.py")
    street = galleries.street(1)
    gallery = galleries.MemoryGallery(street.references, street.pixels)
    facts = answers.compared(1, "match", reference_id=street.references[0].id)
    photo = photo_of(jpeg)
    about = {"name": photo.name, "sha256": photo.sha256, "size": photo.size}
    answer = answers.answer(candidates=[facts], photo=about, photos=[about])
    references = References(gallery, galleries.Thumbnails(), "embedded")
    (path,) = write_pictures(answer, [photo], references, tmp_path)
    assert_bare(path.read_bytes())
    assert isinstance(preview(jpeg, NAME, Edit()), np.ndarray)  # pixels alone


def test_no_download_of_the_chat_carries_anything_of_the_file(jpeg: bytes) -> None:
    from geosleuth.ui.page.downloads import downloads

    for one in downloads(answers.answer(), (photo_of(jpeg),), None):
        if one.key in ("pdf", "html"):
            continue  # above
        made = one.make()
        data = made if isinstance(made, bytes) else made.encode()
        assert not [word for word in WRITTEN if word.encode() in data]


def test_an_exported_case_has_the_photo_only_where_it_is_asked_for(jpeg: bytes, tmp_path: Path) -> None:
    store = CaseStore(tmp_path)
    case = store.create("case")
    store.add_photo(case.id, jpeg, "photo.jpg")
    assert not [word for word in WRITTEN if word.encode() in store.export(case.id)]
    assert WRITTEN[1].encode() in store.export(case.id, originals=True)


# A library's own reports.


def test_the_library_that_runs_networks_reports_to_nobody(tmp_path: Path) -> None:
    """onnxruntime writes the file of a session with its maker's server as it is imported, unless it is told not to."""
    import os
    import subprocess

    code = (
        "from geosleuth.tools.detection import ocr_session\n"
        "from geosleuth.indexes.encoders.embedded import _session\n"
        "import os; _session(); print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
    assert list(tmp_path.iterdir()) == []


def test_it_is_imported_in_one_place_alone() -> None:
    import re

    root = Path(__file__).parents[2]
    rooms = ("indexes", "tools", "agent", "training", "ui")
    sources = [path for room in rooms for path in (root / room).rglob("*.py")]
    found = [
        path.name for path in sources if re.search(r"^\s*(?:import|from) onnxruntime", path.read_text("utf-8"), re.M)
    ]
    assert found == ["inference.py"]
