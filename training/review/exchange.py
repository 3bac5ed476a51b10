"""Decisions as one JSONL file: all that everybody said, to keep or to carry to another copy of the review.

A line is {"review": SHA-256 of the items, "reviewer": NAME, "said": a line of NAME's decisions}.
"""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.review.decision import ALLOWED, Line
from geosleuth.training.review.decisions_file import append, read_lines
from geosleuth.training.review.folder import ITEMS, Review, check_apart


class _Exported(BaseModel):
    model_config = ConfigDict(extra="forbid")

    review: str
    reviewer: str
    said: Line = Field(discriminator="verdict")


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    added: int  # decisions
    known: int  # that were there already
    left_out: tuple[str, ...] = ()  # why, one each


def export_decisions(review: Review, path: Path) -> int:
    """Write everybody's decisions, those taken back as well; return how many lines.

    Raises:
        InputError: A file of decisions is damaged, or `path` cannot be written.
    """
    sha = items_sha256(review)
    lines = [
        _Exported(review=sha, reviewer=reviewer, said=line).model_dump_json()
        for reviewer in review.reviewers()
        for line in read_lines(review, reviewer)
    ]
    write_text(path, "".join(f"{line}\n" for line in lines))
    return len(lines)


def import_decisions(review: Review, path: Path) -> Imported:
    """Add what others said in another copy of the review; to do so twice changes nothing.

    Raises:
        InputError: A line is damaged or of another review, two reviewers' names differ in capitals alone,
            or somebody has gone on in both copies; nothing is added. Where the disk ends, what was added stays, and
            the same import goes on.
    """
    given: dict[str, list[Line]] = {}
    sha = items_sha256(review)
    for number, text in enumerate(_read(path).splitlines(), start=1):
        if not text.strip():
            continue
        try:
            one = _Exported.model_validate_json(text)
        except ValidationError as error:
            why = error.errors(include_url=False, include_input=False)[0]["msg"]
            raise InputError(f"an exported decision in {path}, line {number}", why, "Export it anew.") from error
        if one.review != sha or one.said.item not in review.numbers or one.said.verdict not in ALLOWED[review.kind]:
            found = f"one of another review in line {number}"
            raise InputError(f"decisions of {review.path} in {path}", found, "Import it where it was exported from.")
        given.setdefault(one.reviewer, []).append(one.said)
    check_apart([*review.reviewers(), *given])
    new = {reviewer: _news(review, reviewer, lines) for reviewer, lines in given.items()}
    for reviewer, lines in new.items():
        for line in lines:
            append(review, reviewer, line)
    added = sum(map(len, new.values()))
    return Imported(added, sum(map(len, given.values())) - added)


def check_new(review: Review, *paths: Path) -> None:
    """See that an export destroys nothing: neither what is in the review, nor another file.

    Raises:
        InputError: One of the files is there, or would be in the review's folder.
    """
    for path in paths:
        if path.resolve().is_relative_to(review.path.resolve()):
            raise InputError("a file to export to", f"{path}, inside of the review", "Name one elsewhere with --to.")
        if path.exists():
            raise InputError("a new file to export to", f"one that is there: {path}", "Name another with --to.")


def items_sha256(review: Review) -> str:
    """Return what tells one review's items from another's."""
    return hashlib.sha256((review.path / ITEMS).read_bytes()).hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    try:
        with appearing(path) as scratch:
            scratch.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            "a file to export to", f"{path}: {error.strerror or error}", "Name another with --to."
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise InputError("a file to import", f"{path}: {error.strerror or error}", "Name an export.") from error


def _news(review: Review, reviewer: str, given: list[Line]) -> list[Line]:
    """Return what is to be added: one of the two copies must be the beginning of the other."""
    there = list(read_lines(review, reviewer))
    common = min(len(there), len(given))
    if there[:common] != given[:common]:
        remedy = "Rename the reviewer in the file, so that both count, or keep one of the two."
        raise InputError(
            f"decisions of {reviewer} that go on from those here", "two copies that differ; both have gone on", remedy
        )
    return given[common:]
