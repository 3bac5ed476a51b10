"""A report as a file: what is needed to write it is checked before the work whose result goes there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.agent.report.content import ReportContent
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import write_private

if TYPE_CHECKING:
    from geosleuth.agent.localization import Localization
    from geosleuth.agent.references import References
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels

_SUFFIXES = (".html", ".pdf")
_SHOWN = 3  # candidates whose pictures a report shows: more make it longer, and no surer


def check_report(path: Path) -> None:
    """Refuse what could not be written in the end.

    Raises:
        InputError: Another ending, a folder that is not there or may not be written, or no library for PDF.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError("a report named .html or .pdf", str(path), "Give it one of these endings.")
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        found = f"{folder}: {'it may not be written' if folder.is_dir() else 'no such folder'}"
        raise InputError("a folder for the report", found, "Make it, or name another.")
    if path.is_dir():
        raise InputError("a file for the report", f"a folder: {path}", "Name a file in it.")
    if path.suffix.lower() == ".pdf" and find_spec("fpdf") is None:
        remedy = "Install it with `pip install 'geosleuth[report]'`, or write .html."
        raise InputError("fpdf2, which writes PDF", "it is not installed", remedy)


def write_report(
    path: Path, answer: Localization, photos: Sequence[Photo] = (), references: References | None = None
) -> None:
    """Write an answer's report, whole or not at all.

    Raises:
        InputError: The file cannot be written.
    """
    from geosleuth.agent.report.html_report import report_html
    from geosleuth.agent.report.pdf_report import report_pdf

    check_report(path)
    content = ReportContent(answer, photos, reference_pictures(answer, references))
    written = report_pdf(content) if path.suffix.lower() == ".pdf" else report_html(content).encode()
    try:
        write_private(path, written)
    except OSError as error:
        remedy = "Free space, or name another file."
        raise InputError("a report that can be written", f"{path}: {error.strerror}", remedy) from error


def reference_pictures(answer: Localization, references: References | None) -> Mapping[str, Pixels]:
    """Read the pictures of the best candidates; one that is gone or damaged is left out, and its candidate says so."""
    if references is None:
        return {}
    pictures = {}
    for one in answer.candidates[:_SHOWN]:
        try:
            pictures[one.reference_id] = references.gallery.picture(one.reference).pixels
        except InputError:
            continue
    return pictures
