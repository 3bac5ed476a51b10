"""What `geosleuth index info` says of an index."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from geosleuth.agent.printable import printable

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.gallery import Gallery

_LISTED = 10  # countries, and examples of problems; --json has them all
_GONE = " (GONE: nothing can be verified against it)"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceInfo(_Fact):
    """Where references came from."""

    kind: str
    root: str
    there: bool
    """Whether it is still where it was; without it nothing can be verified against its pictures."""


class ProblemInfo(_Fact):
    """An image that is no reference, or one that is there twice."""

    kind: str
    uri: str
    reason: str


class IndexInfo(_Fact):
    """All that is known of an index."""

    location: str
    references: int
    views: dict[str, int]
    countries: dict[str, int]
    """By ISO 3166-1 alpha-2, the most first; "" is the open sea. Empty where the index lives on a server."""
    encoder: str
    weights_sha256: str
    dimension: int
    index_type: str
    index_reason: str
    sources: tuple[SourceInfo, ...] = ()
    problem_counts: dict[str, int] = {}
    problems: tuple[ProblemInfo, ...] = ()
    bytes_on_disk: int | None = None
    """None on a server."""
    created_at: str | None = None
    version: str | None = None
    """Of geosleuth, that wrote it."""


def index_info(location: str) -> IndexInfo:
    """Open an index and sum it up.

    Raises:
        InputError: There is none, or it is damaged.
    """
    from geosleuth.agent.references import MILVUS, open_gallery
    from geosleuth.indexes.gallery.paths import absolute

    gallery = open_gallery(location)
    return _of_server(gallery) if location.startswith(MILVUS) else _of_folder(absolute(location, "an index"))


def _of_server(gallery: Gallery) -> IndexInfo:
    return IndexInfo(
        location=gallery.location,
        references=len(gallery),
        views={str(view): count for view, count in gallery.views().items()},
        countries={},
        encoder=gallery.encoder_spec,
        weights_sha256=gallery.weights_sha256,
        dimension=gallery.dimension,
        index_type="of the server",
        index_reason="Milvus chooses and searches it",
    )


def _of_folder(folder: Path) -> IndexInfo:
    from geosleuth.indexes.gallery.store import open_index

    gallery = open_index(folder)
    manifest = gallery.manifest
    countries = Counter(code or "" for code in gallery.columns("country")["country"].to_pylist())
    return IndexInfo(
        location=gallery.location,
        references=len(gallery),
        views={str(view): count for view, count in gallery.views().items()},
        countries=dict(countries.most_common()),
        encoder=gallery.encoder_spec,
        weights_sha256=gallery.weights_sha256,
        dimension=gallery.dimension,
        index_type=manifest.index_type,
        index_reason=manifest.index_reason,
        sources=tuple(
            SourceInfo(kind=one.kind, root=one.root, there=Path(one.root).exists()) for one in manifest.sources
        ),
        problem_counts={str(kind): count for kind, count in manifest.problems.items()},
        problems=tuple(ProblemInfo(kind=one.kind, uri=one.uri, reason=one.reason) for one in gallery.problems()),
        bytes_on_disk=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        created_at=str(manifest.created_at),
        version=manifest.geosleuth_version,
    )


def info_report(info: IndexInfo) -> str:
    """Write the facts for a person."""
    size = "" if info.bytes_on_disk is None else f", {info.bytes_on_disk / 1e6:,.1f} MB on disk"
    made = "" if info.created_at is None else f"; written {info.created_at} by geosleuth {info.version}"
    lines = [
        f"index      {info.location}{made}",
        f"references {info.references:,} ({_counts(info.views)}){size}",
        *([f"countries  {_counts(info.countries)}"] if info.countries else []),
        f"encoder    {info.encoder}, {info.dimension} numbers, weights {info.weights_sha256[:12]}",
        f"search     {info.index_type}: {info.index_reason}",
        *(
            f"source {number}   {one.kind} {one.root}{'' if one.there else _GONE}"
            for number, one in enumerate(info.sources)
        ),
        f"problems   {_counts(info.problem_counts) or 'none'}",
        *(f"           {one.kind}: {one.uri}: {one.reason}" for one in info.problems[:_LISTED]),
    ]
    if len(info.problems) > _LISTED:
        lines.append(f"           and {len(info.problems) - _LISTED:,} more: --json lists them all")
    return "\n".join(printable(line) for line in lines) + "\n"


def _counts(counts: dict[str, int]) -> str:
    named = [f"{name or 'at sea'} {count:,}" for name, count in list(counts.items())[:_LISTED] if count]
    more = len(counts) - _LISTED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
