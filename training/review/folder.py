"""A review on disk: what is to be judged, where its pictures are, and what everybody said.

review.json             kind of the items, root of the pictures, SHA-256 of items.jsonl
items.jsonl             an item a line; never changed once it is there
decisions/NAME.jsonl    what NAME said: a line a decision, appended and never changed
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import SCRATCH, appearing
from geosleuth.training.datasets.layout import leads_out
from geosleuth.training.review.item import Item, Kind, read_item

ABOUT, ITEMS, DECISIONS = "review.json", "items.jsonl", "decisions"
_NAME = re.compile(r"[^\W_][\w-]{0,31}")  # letters of any script, digits, "_" and "-": nothing that a path is made of


class About(BaseModel):
    """The content of review.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    root: str  # absolute, as it was where the review was made
    items_sha256: str


@dataclass(frozen=True)
class Review:
    """A review that is open."""

    path: Path
    kind: Kind
    root: Path
    items: tuple[Item, ...]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Position of each item, by id."""
        return {item.id: number for number, item in enumerate(self.items)}

    def reviewers(self) -> list[str]:
        """Return who has a file of decisions.

        Raises:
            InputError: A file there is nobody's, as a copy that a program for shared folders made.
        """
        files = sorted((self.path / DECISIONS).glob("*.jsonl"))
        for file in files:
            if not _NAME.fullmatch(file.stem):
                raise InputError("a file that is called after a reviewer", str(file), "Move it out of the review.")
        return [file.stem for file in files]

    def file_of(self, reviewer: str) -> Path:
        """Return where somebody's decisions are, or will be.

        Raises:
            InputError: The name cannot be a file's, or differs from another reviewer's in capitals alone.
        """
        check_reviewer(reviewer)
        check_apart([*self.reviewers(), reviewer])
        return self.path / DECISIONS / f"{reviewer}.jsonl"

    def picture(self, path: str) -> Path:
        """Return where a picture is.

        Raises:
            InputError: It is not there, or its path leads out of the root.
        """
        if leads_out(path) or not path:
            raise InputError(f"a picture below {self.root}", path, "Mend the path where the items come from.")
        found = self.root.joinpath(path)
        if not found.resolve().is_relative_to(self.root.resolve()):
            raise InputError(f"a picture below {self.root}", f"{path}, a link that leads out", "Copy it there.")
        if not found.is_file():
            remedy = "Put it there, or skip or reject the item; --root names another place of all pictures."
            raise InputError("a picture of this item", f"no file {found}", remedy)
        return found


def check_reviewer(name: str) -> str:
    """Return the name, if files can be called so.

    Raises:
        InputError: They cannot.
    """
    if not _NAME.fullmatch(name):
        remedy = "Use letters, digits, _ and -, at most 32, beginning with a letter or a digit."
        raise InputError("a reviewer's name", repr(name), remedy)
    return name


def check_apart(names: Iterable[str]) -> None:
    """See that names of reviewers are those of different files, where systems fold case as well.

    Raises:
        InputError: Two differ in capitals alone.
    """
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            remedy = f"Write it {other}, or choose another name."
            raise InputError("a reviewer's name of its own", f"{name}, beside {other}", remedy)


def make_review(out: Path, items: Sequence[Item], root: Path) -> Review:
    """Write a new review folder.

    Args:
        out: It may be there if it is empty, or if a run of the same items was cut off in it.
        items: All of one kind, each id once.
        root: What the pictures' paths are below.

    Raises:
        InputError: There is nothing to review, two kinds are mixed, an id stands twice, or `out` holds something or
            cannot be written.
    """
    kind = _checked(items)
    if not root.is_dir():
        raise InputError("the folder that the pictures' paths begin at", f"no folder {root}", "Name it with --root.")
    content = "".join(f"{item.model_dump_json()}\n" for item in items).encode()
    about = About(kind=kind, root=str(root.absolute()), items_sha256=hashlib.sha256(content).hexdigest())
    try:
        out.mkdir(parents=True, exist_ok=True)
        _check_new(out, content)
        with appearing(out / ITEMS) as scratch:
            scratch.write_bytes(content)
        with appearing(out / ABOUT) as scratch:  # the last: with it the folder is a review
            scratch.write_text(about.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        found = f"{out}: {error.strerror or error}"
        raise InputError("a folder for the review that can be written", found, "Name another --out.") from error
    return Review(out, kind, root, tuple(items))


def open_review(path: Path, root: Path | None = None) -> Review:
    """Open a review folder.

    Args:
        path: As `make_review` made it.
        root: Where the pictures are now, if that has changed.

    Raises:
        InputError: It is none, or its items are not those that it was made with.
    """
    try:
        about = About.model_validate_json((path / ABOUT).read_bytes())
        content = (path / ITEMS).read_bytes()
    except (OSError, ValidationError) as error:
        found = f"{path}: {_short(error)}"
        raise InputError("a review folder", found, "Make one with `geosleuth curate queue`.") from error
    if hashlib.sha256(content).hexdigest() != about.items_sha256:
        remedy = "Restore the file: decisions are of the items that it had."
        raise InputError(f"{path / ITEMS} as it was made", "a file that was changed", remedy)
    try:
        items = tuple(read_item.validate_json(line) for line in content.splitlines())
    except ValidationError as error:
        remedy = "Use the version of geosleuth that made the review."
        raise InputError(f"items in {path / ITEMS}", _short(error), remedy) from error
    return Review(path, about.kind, root or Path(about.root), items)


def _check_new(out: Path, content: bytes) -> None:
    """See that nothing is in the way; the same items, and hidden files, are what a run that was cut off leaves."""
    for there in out.iterdir():
        if there.suffix == SCRATCH or (there.name == ITEMS and there.read_bytes() == content):
            continue
        remedy = "Name another --out: a review's items never change, or decisions would be of something else."
        raise InputError("a new folder for the review", f"{out} with {there.name}", remedy)


def _checked(items: Sequence[Item]) -> Kind:
    kinds = {item.kind for item in items}
    if not items:
        raise InputError("items to review", "none", "See what was left out, and why.")
    if len(kinds) > 1:
        raise InputError(
            "items of one kind", "pairs and reasons", "Make a review of each: they are judged differently."
        )
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise InputError("items that each stand once", f"{item.id!r} twice", "Leave one of them out.")
        seen.add(item.id)
    return items[0].kind


def _short(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"
    if isinstance(error, OSError):
        return f"{Path(error.filename or '').name}: {error.strerror}"
    return str(error)
