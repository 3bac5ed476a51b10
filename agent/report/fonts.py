"""The fonts of a PDF report: those that geosleuth ships, and of the system's those that the words need.

Shipped are Noto's Latin, Greek, Cyrillic and the scripts of docs/make_report_fonts.py. Han, Kana and Hangul are too
large for that (5 MB and more): they come from the system, as does whatever else a sign may show.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

logger = logging.getLogger(__name__)

REGULAR, BOLD = "NotoSans-Regular.ttf", "NotoSans-Bold.ttf"
# (file, face in it) of what systems with East Asian text have: Debian, Fedora and Arch; Windows; macOS. Each language
# has its own, since the same Han character looks different in China, Japan and Korea.
_NOTO_CJK = ("NotoSansCJK-Regular.ttc", "NotoSansCJK.ttc")
_CHINESE = (*((name, 2) for name in _NOTO_CJK), ("msyh.ttc", 0), ("Hiragino Sans GB.ttc", 0), ("Arial Unicode.ttf", 0))
_JAPANESE = (*((name, 0) for name in _NOTO_CJK), ("YuGothR.ttc", 0), ("msgothic.ttc", 0), ("Arial Unicode.ttf", 0))
_KOREAN = (*((name, 1) for name in _NOTO_CJK), ("malgun.ttf", 0), ("AppleSDGothicNeo.ttc", 0))
_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "C:/Windows/Fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
)
_MOST = 12  # further fonts of one report: a page of all scripts at once is no sign
_MOST_ASKED = 40  # characters without a font; fontconfig takes 20 ms for each
_PATIENCE_S = 10.0  # for fontconfig, which builds its cache on its first call


@dataclass(frozen=True)
class Face:
    """One font: a file, and which of the faces in it."""

    path: Path
    number: int = 0

    @property
    def family(self) -> str:
        """A name for fpdf2; letters of styles (B, I) would be cut out of it."""
        return "".join(c for c in f"{self.path.stem}{self.number}".lower() if c.isalnum())

    @property
    def characters(self) -> frozenset[int]:
        """Code points that it draws; empty where it cannot be embedded."""
        return _characters(self.path, self.number)


def folder() -> Path:
    """Where the shipped fonts lie."""
    return Path(str(files("geosleuth.agent.report").joinpath("data")))


@cache
def shipped() -> tuple[Face, ...]:
    """The shipped fonts of other scripts, in a fixed order."""
    return tuple(Face(path) for path in sorted(folder().glob("*.ttf")) if path.name not in (REGULAR, BOLD))


def faces_for(texts: Iterable[str]) -> tuple[list[Face], frozenset[str]]:
    """Return the faces that the words need beside the Latin ones, and the characters that no font here draws.

    A face that is not needed is left out, since each costs the report a tenth of a second.
    """
    chosen: list[Face] = []
    beyond: set[int] = set()
    for text in texts:
        wanted = {ord(char) for char in text} - Face(folder() / REGULAR).characters
        for face in (*shipped(), *suiting(text)) if wanted else ():
            if wanted & face.characters:
                chosen += [face] if face not in chosen else []
                wanted -= face.characters
        beyond |= wanted
    lost: set[int] = set()
    while beyond:
        patient = len(chosen) < _MOST and len(lost) < _MOST_ASKED
        found = _found_by_fontconfig(min(beyond)) if patient else None
        if found is None:
            lost.add(min(beyond))
            beyond.discard(min(beyond))
        else:
            chosen.append(found)
            beyond -= found.characters
    return chosen, frozenset(map(chr, lost))


def suiting(text: str) -> list[Face]:
    """Installed faces of Han, Kana and Hangul, those first whose forms belong to the text's language."""
    kana = any("\u3040" <= char <= "\u30ff" for char in text)
    hangul = any("\uac00" <= char <= "\ud7a3" or "\u1100" <= char <= "\u11ff" for char in text)
    order = _JAPANESE + _CHINESE if kana else _KOREAN + _CHINESE if hangul else _CHINESE + _JAPANESE
    found = [(_installed(name), number) for name, number in order]
    return [Face(path, number) for path, number in found if path is not None]


@cache
def _installed(name: str) -> Path | None:
    for place in _FOLDERS:
        for path in sorted(Path(place).expanduser().rglob(name)):
            return path
    return None


@cache
def _found_by_fontconfig(code: int) -> Face | None:
    """Ask fontconfig, where there is one, for a font with a character: a plain one of Noto before others."""
    command = ["fc-list", "--format", "%{file}\t%{index}\n", f":charset={code:x}"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        logger.info("fontconfig gave no font for U+%04X: %s", code, error)
        return None
    rows = {tuple(line.split("\t")) for line in listed.splitlines() if line.count("\t") == 1}
    ordered = sorted(rows, key=lambda row: ("NotoSans" not in row[0], "Regular" not in row[0], row))
    for file, number in ordered[:_MOST]:
        # fontconfig keeps the instance of a variable font in the upper half.
        face = Face(Path(file), int(number) & 0xFFFF)
        if face.path.suffix.lower() in (".ttf", ".otf", ".ttc", ".otc") and code in face.characters:
            return face
    return None


@cache
def _characters(path: Path, number: int) -> frozenset[int]:
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, fontNumber=number, lazy=True) as font:
            # PDF takes outlines (glyf, CFF): no bitmaps, and no variable CFF2.
            return frozenset(font.getBestCmap() or ()) if "glyf" in font or "CFF " in font else frozenset()
    except (OSError, TTLibError) as error:
        logger.info("The font %s cannot be read: %s", path, error)
        return frozenset()
