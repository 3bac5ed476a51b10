"""What a report consists of, before it is HTML or PDF: sections of a few kinds of blocks, whose words both write."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

_JOINERS = "\u200c\u200d"  # they decide how letters of Persian, Hindi, Sinhala... join; elsewhere they only hide


@dataclass(frozen=True)
class Paragraph:
    """A few sentences."""

    text: str
    kind: Literal["plain", "lead", "warning", "note"] = "plain"
    lang: str | None = None  # of the words, where it is not English


@dataclass(frozen=True)
class Fact:
    """A name and what it is."""

    name: str
    value: str
    lang: str | None = None


@dataclass(frozen=True)
class Facts:
    """A table whose first column names what the second says."""

    rows: tuple[Fact, ...]


@dataclass(frozen=True)
class Grid:
    """A table with a head; `widths` are shares of the page."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    numeric: tuple[int, ...] = ()  # columns that stand to the right


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """Re-encoded pixels, without any metadata of the file that they come from."""

    jpeg: bytes
    size: tuple[int, int]
    alt: str
    caption: str


@dataclass(frozen=True)
class Pictures:
    """One picture, or several side by side."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Map:
    """The place where the answer's map stands."""

    alt: str
    caption: str


Block = Paragraph | Facts | Grid | Bullets | Pictures | Map


@dataclass(frozen=True)
class Section:
    """A heading and its blocks; `level` 2 is a chapter, 3 a part of the one before."""

    title: str
    blocks: tuple[Block, ...]
    level: Literal[2, 3] = 2


@dataclass(frozen=True)
class Report:
    """All of it."""

    title: str
    subtitle: str
    running_head: str  # on each page: which case, which photo
    sections: tuple[Section, ...]


def shown(text: str) -> str:
    """Make a stranger's words safe to set: control and direction characters become visible escapes.

    As `printable`, but white space of any kind is a space, and joiners between letters that need them stay.
    """
    kept = []
    for i, char in enumerate(text):
        if char.isprintable() or (char in _JOINERS and _joins(text, i)):
            kept.append(char)
        else:
            kept.append(" " if char.isspace() and char not in "\x1c\x1d\x1e\x1f" else repr(char)[1:-1])
    return " ".join("".join(kept).split(" ")).strip()


def _joins(text: str, i: int) -> bool:
    """Between letters or vowel signs of Arabic and what follows in Unicode: Latin letters are never joined."""
    around = text[i - 1 : i] + text[i + 1 : i + 2]
    return len(around) == 2 and all(char >= "\u0600" and unicodedata.category(char)[0] in "LM" for char in around)
