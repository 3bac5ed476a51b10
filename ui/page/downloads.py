"""Files of an answer, each made when somebody asks for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.agent.localization import ComparedReference, Localization
from geosleuth.ui.page.photos import file_name, without_suffix

if TYPE_CHECKING:
    from geosleuth.agent.cases.custody import Custody
    from geosleuth.agent.references import References
    from geosleuth.agent.report.content import ReportContent
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels

REPORTED_PICTURES = 3  # of references: each is a quarter of a page


@dataclass(frozen=True)
class Download:
    """One file to offer."""

    label: str
    file_name: str
    mime: str
    make: Callable[[], bytes | str]
    key: str


def downloads(
    answer: Localization,
    photos: Sequence[Photo],
    references: References | None,
    custody: Callable[[], Custody] | None = None,
    case_name: str | None = None,
) -> list[Download]:
    """List the files; nothing is made yet."""
    from geosleuth.agent.export import to_csv, to_geojson, to_kml
    from geosleuth.agent.report.html_report import report_html
    from geosleuth.agent.report.pdf_report import report_pdf

    def content() -> ReportContent:
        return report_content(answer, photos, references, None if custody is None else custody(), case_name)

    stem = _stem(answer)
    return [
        Download("Report (PDF)", f"{stem}.pdf", "application/pdf", lambda: report_pdf(content()), "pdf"),
        Download("Report (HTML)", f"{stem}.html", "text/html", lambda: report_html(content()), "html"),
        Download("GeoJSON", f"{stem}.geojson", "application/geo+json", lambda: to_geojson(answer), "geojson"),
        Download("KML", f"{stem}.kml", "application/vnd.google-earth.kml+xml", lambda: to_kml(answer), "kml"),
        Download("CSV", f"{stem}.csv", "text/csv", lambda: to_csv(answer), "csv"),
        Download(
            "GeoParquet", f"{stem}.parquet", "application/vnd.apache.parquet", lambda: _geoparquet(answer), "parquet"
        ),
        Download("JSON", f"{stem}.json", "application/json", lambda: answer.model_dump_json(indent=2), "json"),
    ]


def _geoparquet(answer: Localization) -> bytes:
    from tempfile import TemporaryDirectory

    from geosleuth.agent.export import to_geoparquet

    with TemporaryDirectory(prefix="geosleuth-") as folder:  # its owner's alone
        path = Path(folder) / "answer.parquet"
        to_geoparquet(answer, path)
        return path.read_bytes()


def report_content(
    answer: Localization,
    photos: Sequence[Photo],
    references: References | None,
    custody: Custody | None,
    case_name: str | None = None,
) -> ReportContent:
    """Gather what the report shows beside the answer."""
    from geosleuth.agent.report.content import ReportContent

    pictures = {}
    for one in answer.candidates[:REPORTED_PICTURES]:
        pixels = picture_of(references, one)
        if pixels is not None:
            pictures[one.reference_id] = pixels
    return ReportContent(
        answer=answer, photos=tuple(photos), reference_pictures=pictures, custody=custody, case_name=case_name
    )


def picture_of(references: References | None, one: ComparedReference) -> Pixels | None:
    """Return a candidate's own picture; None where there is no gallery any more, or it has lost the picture."""
    from geosleuth.indexes.errors import InputError

    if references is None:
        return None
    try:
        return references.gallery.picture(one.reference).pixels
    except InputError:
        return None


def _stem(answer: Localization) -> str:
    """A file name of the photo's, of characters that every system takes."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", without_suffix(file_name(answer.photo.name))).strip("-")
    return f"geosleuth-{stem[:60] or 'photo'}"
