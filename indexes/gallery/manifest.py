"""The manifest of an index: what the folder holds and by which checksums; replacing it is what commits a write."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.whole_file import flush_folder

MANIFEST = "manifest.json"
FORMAT = 1  # change when an older geosleuth could not read the files
# Names are made from the generation, so that a manifest from elsewhere cannot point outside its folder.
DATA_FILE = re.compile(r"(references-\d+\.parquet|vectors-\d+\.npy|search-\d+\.faiss|problems-\d+\.jsonl)")
_MOST_BYTES = 16 << 20  # of a manifest: 50,000 sources with long paths, and nothing that fills a memory
_CHECKSUM = re.compile(rb'"checksum": "([0-9a-f]{64})"')

MOST_LINE_BYTES = 1 << 20  # of a problem: a path and a sentence; a line without an end would fill the memory

ProblemKind = Literal["skipped", "duplicate", "repeated"]
IndexType = Literal["flat", "ivf-sq8", "ivf-pq"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class EncoderFacts(_Frozen):
    """What made the vectors; a query must be encoded by the same."""

    spec: str
    weights_sha256: str
    dimension: Annotated[int, Field(ge=1)]


class SourceFacts(_Frozen):
    """Where references come from."""

    kind: str
    """folder, table, geotiff, mbtiles or xyz."""
    root: str
    """Absolute path that URIs are relative to."""


class Problem(_Frozen):
    """One image with which something was wrong, and what."""

    kind: ProblemKind
    """skipped: it cannot be a reference; duplicate: left out; repeated: same bytes at another place, kept."""
    uri: str
    reason: str
    source: int = 0


class FileFacts(_Frozen):
    """Size and checksum of one file."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: str
    """SHA-256 over the SHA-256 digests of its blocks of 16 MiB: blocks can be hashed in parallel."""


class ApproximateFacts(_Frozen):
    """How the faiss file is searched, and how well that does."""

    lists: Annotated[int, Field(ge=1)]
    """Cells that k-means cut the vectors into."""
    probe: Annotated[int, Field(ge=1)]
    """Cells that a query looks into."""
    overfetch: Annotated[int, Field(ge=1, le=1000)]
    """Candidates per wanted hit that are compared exactly; a build tries up to 100."""
    trained_on: Annotated[int, Field(ge=1)]
    """References there were when the quantizer was trained."""
    recall_at_10: float
    """Share of the exact ten nearest that were found."""
    recall_queries: int
    """Number of its own vectors that this was measured on, each without itself."""


class Manifest(_Frozen):
    """What an index is."""

    format: int = FORMAT
    geosleuth_version: str
    created_at: str
    """ISO 8601, UTC; the only thing that two builds of the same images differ in."""
    generation: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1)]
    views: dict[View, Annotated[int, Field(ge=1)]]
    """Number of references per view, in the order of the rows."""
    encoder: EncoderFacts
    metric: Literal["cosine"] = "cosine"
    sources: tuple[SourceFacts, ...]
    problems: dict[ProblemKind, int]
    index_type: IndexType
    index_reason: str
    """Why this type, in words."""
    approximate: ApproximateFacts | None = None
    """None for flat."""
    files: dict[str, FileFacts]

    @field_validator("files")
    @classmethod
    def _stay_in_the_folder(cls, files: dict[str, FileFacts]) -> dict[str, FileFacts]:
        for name in files:
            if not DATA_FILE.fullmatch(name):
                raise ValueError(f"{name!r} is no file of an index")
        return files

    def file(self, stem: str) -> str | None:
        """Name of the file of references, vectors, search or problems; None where there is none."""
        return next((name for name in self.files if name.startswith(f"{stem}-")), None)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in one step, so that a reader sees the old one or the new one."""
    content = manifest.model_dump(mode="json") | {"checksum": ""}
    empty = json.dumps(content, indent=1, ensure_ascii=False).encode()
    checksum = hashlib.sha256(empty).hexdigest()
    scratch = folder / f"{MANIFEST}.new"
    with scratch.open("wb") as file:
        file.write(empty.replace(b'"checksum": ""', f'"checksum": "{checksum}"'.encode()))
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(folder / MANIFEST)
    flush_folder(folder)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest and check it against its own checksum.

    Raises:
        InputError: There is none, it is damaged, or a newer geosleuth wrote it.
    """
    path = folder / MANIFEST
    try:
        if (fault := astray(path)) is not None:
            raise damaged(path, fault)
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        remedy = f"Build one with `geosleuth index build PHOTOS --out {folder}`, or name the folder of one."
        raise InputError("an index", f"no {MANIFEST} in {folder}", remedy) from error
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError("an index", f"{path}: {why}", "Check the path and its permissions.") from error
    if len(content) > _MOST_BYTES:
        raise damaged(path, f"it has more than {_MOST_BYTES:,} bytes")
    marks = list(_CHECKSUM.finditer(content))
    if len(marks) != 1:
        raise damaged(path, "it has no checksum of its own")
    mark = marks[0]
    bare = content[: mark.start(1)] + content[mark.end(1) :]
    if hashlib.sha256(bare).hexdigest().encode() != mark.group(1):
        raise damaged(path, "it does not agree with its own checksum")
    try:
        fields = json.loads(content)
        del fields["checksum"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise damaged(path, "it is no JSON object of an index") from error
    if fields.get("format") != FORMAT:
        found = f"format {fields.get('format')} in {path}"
        raise InputError(f"an index of format {FORMAT}", found, "Use the geosleuth that wrote it, or build it again.")
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        raise damaged(path, f"its fields are not those of an index ({error.errors()[0]['msg']})") from error


def astray(path: Path) -> str | None:
    """Say why a file of an index is not to be opened, in words; None where it lies in its folder, or is missing.

    A link may have come with an index from a stranger: behind it may be a file of this machine, or one that never ends.
    """
    if path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve()):
        return "it is a link that leads out of the folder: put the file itself there"
    if path.exists() and not path.is_file():
        return "it is no regular file"
    return None


def damaged(path: Path, why: str) -> InputError:
    """Make the error for a broken file of an index, which it names."""
    remedy = "Restore that file from a copy, or build the index again: `geosleuth index verify` lists all damage."
    return InputError("an undamaged index", f"{path}: {why}", remedy)
