"""The order in which the letters of a line stand, left to right, where scripts of both directions meet.

This is Unicode's bidirectional algorithm (UAX 9) for text without control characters, in which what stands in double
quotes is isolated, as <bdi> isolates it in the HTML: a sign in Hebrew neither turns the English around it nor takes
its numbers. fpdf2 has the levels, but sets its fragments without them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_QUOTED = re.compile(r'"(.*?)"')
_NEUTRAL = ("B", "S", "WS", "ON")
_CLOSED_BY = {"(": ")", "[": "]", "{": "}", "\uff08": "\uff09", "\u300c": "\u300d", "\u3010": "\u3011"}
_CLOSING = frozenset(_CLOSED_BY.values())
_DEEPEST = 63  # brackets within brackets, by definition BD16


@dataclass(frozen=True)
class Line:
    """Characters in the order in which they are spoken, each with its level: odd ones run from right to left."""

    text: str
    levels: tuple[int, ...]
    base: int  # of the paragraph: 0, or 1 where it begins at the right

    def part(self, start: int, end: int) -> Line:
        """Cut, with the levels of the whole."""
        return Line(self.text[start:end], self.levels[start:end], self.base)

    def runs(self) -> list[tuple[str, bool]]:
        """Pieces of one direction as they stand from left to right; their own text as spoken, and whether it runs left.

        Rule L2, on pieces in place of characters.
        """
        pieces: list[tuple[str, int]] = []
        for char, level in zip(self.text, self.levels, strict=True):
            if pieces and pieces[-1][1] == level:
                pieces[-1] = (pieces[-1][0] + char, level)
            else:
                pieces.append((char, level))
        for level in range(max(self.levels, default=0), 0, -1):
            start = 0
            while start < len(pieces):
                end = start
                while end < len(pieces) and pieces[end][1] >= level:
                    end += 1
                pieces[start:end] = reversed(pieces[start:end])
                start = end + 1
        return [(text, level % 2 == 1) for text, level in pieces]


def line_of(text: str, *, auto: bool = False) -> Line:
    """Find the level of each character of a paragraph.

    A paragraph begins at the left, as English does; with `auto` at its first letter's side, quotations passed over.
    """
    quotations = [found.span(1) for found in _QUOTED.finditer(text)]
    outside = list(text)
    for start, end in quotations:
        outside[start:end] = [" "] * (end - start)  # to the sentence, what is quoted is one neutral thing
    base = _first_strong(outside) if auto else 0
    levels = _levels(outside, base)
    for start, end in quotations:
        inner = text[start:end]
        # Rules X5a to X5c: the least level above the sentence's that goes the way of the quotation's first letter.
        levels[start:end] = _levels(inner, base + 1 if _first_strong(inner) != base % 2 else base + 2)
    return Line(text, tuple(levels), base)


def goes_left(char: str) -> bool:
    """Whether a letter is of a script that is written from right to left."""
    return unicodedata.bidirectional(char) in ("R", "AL")


def _first_strong(chars: Sequence[str]) -> int:
    """Rules P2 and P3."""
    strong = next((kind for char in chars if (kind := unicodedata.bidirectional(char)) in ("L", "R", "AL")), "L")
    return int(strong != "L")


def _levels(chars: Sequence[str], level: int) -> list[int]:
    """Levels of a text in which nothing is isolated."""
    side = "R" if level % 2 else "L"
    kinds = [unicodedata.bidirectional(char) or "L" for char in chars]
    if level % 2 == 0 and not any(kind in ("R", "AL", "AN") for kind in kinds):
        return [level] * len(kinds)
    kinds = _numbers(kinds, side)
    _brackets(chars, kinds, side)
    _neutrals(kinds, side)
    # Rules I1 and I2.
    steps = {"L": 0, "R": 1, "AN": 2, "EN": 2} if side == "L" else {"L": 1, "R": 0, "AN": 1, "EN": 1}
    return [level + steps[kind] for kind in kinds]


def _numbers(kinds: Sequence[str], side: str) -> list[str]:
    """Rules W1 to W7: marks go with their letter, digits with what was spoken before them."""
    out: list[str] = []
    strong = side
    for kind in kinds:
        if kind in ("NSM", "BN"):  # joiners among them
            kind = out[-1] if out else side
        elif kind == "EN" and strong == "AL":
            kind = "AN"
        strong = kind if kind in ("L", "R", "AL") else strong
        out.append(kind)
    for i in range(1, len(out) - 1):
        before, after = out[i - 1], out[i + 1]
        if before == after and ((before == "EN" and out[i] in ("ES", "CS")) or (before == "AN" and out[i] == "CS")):
            out[i] = before
    for order in (range(len(out)), range(len(out) - 1, -1, -1)):  # "25 %" and "$25": signs go with their number
        beside = ""
        for i in order:
            out[i] = "EN" if out[i] == "ET" and beside == "EN" else out[i]
            beside = out[i]
    strong = side
    for i, kind in enumerate(out):
        strong = kind if kind in ("L", "R", "AL") else strong
        if kind == "EN" and strong == "L":
            out[i] = "L"
        elif kind == "AL":
            out[i] = "R"
        elif kind not in ("L", "R", "EN", "AN"):
            out[i] = "ON"
    return out


def _brackets(chars: Sequence[str], kinds: list[str], side: str) -> None:
    """Rule N0: both brackets of a pair go the same way, and marks on them too."""
    opened: list[int] = []
    pairs = []
    for i, char in enumerate(chars):
        if kinds[i] != "ON":
            continue
        if char in _CLOSED_BY:
            if len(opened) == _DEEPEST:
                return
            opened.append(i)
        elif char in _CLOSING:
            at = next((k for k in range(len(opened) - 1, -1, -1) if _CLOSED_BY[chars[opened[k]]] == char), None)
            if at is not None:
                pairs.append((opened[at], i))
                del opened[at:]
    for start, end in sorted(pairs):
        within = {_strong(kind) for kind in kinds[start + 1 : end]} - {""}
        if within:
            before = next((_strong(kind) for kind in reversed(kinds[:start]) if _strong(kind)), side)
            for at in (start, end):
                kinds[at] = side if side in within else before
                while at + 1 < len(chars) and unicodedata.bidirectional(chars[at + 1]) in ("NSM", "BN"):
                    at += 1
                    kinds[at] = kinds[at - 1]


def _neutrals(kinds: list[str], side: str) -> None:
    """Rules N1 and N2: what is between two of one direction goes with them, all else with the paragraph."""
    start = 0
    while start < len(kinds):
        end = start
        while end < len(kinds) and kinds[end] == "ON":
            end += 1
        if end > start:
            before = _strong(kinds[start - 1]) if start else side
            after = _strong(kinds[end]) if end < len(kinds) else side
            kinds[start:end] = [before if before == after else side] * (end - start)
        start = end + 1


def _strong(kind: str) -> str:
    """The direction of a kind, numbers counting as right to left; "" of neutral ones."""
    return "R" if kind in ("R", "EN", "AN") else "L" if kind == "L" else ""
