"""JSON objects as models write them: in code fences, between words, with single quotes or commas too many, cut off.

What a strict reader accepts is read the same. What was cut off is closed where that cannot change its meaning: a
complete entry stays, a cut number or name goes ("Mal" may have become Mali or Malta), a cut sentence stays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

_LONGEST = 50_000  # characters that are looked at; 6 times what 2,048 tokens hold
_DEEPEST = 32  # objects and lists inside each other; no schema of ours has more than 4
_SENTENCE = 6  # words; names of places have up to five ("Saint Vincent and the Grenadines")

_SPACE = re.compile(r"(?:\s|//[^\n]*|#[^\n]*)*")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z_]\w*")
_LAST = re.compile(r"[\w.+-]+\Z")
_WORDS = {"true": True, "false": False, "null": None, "none": None}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\n": ""}
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_SURROGATES = re.compile("[\ud800-\udfff]")
_CLOSING = {'"': '"', "'": "'", "“": "”"}


class _NoJsonError(ValueError):
    """This is no JSON, even read leniently."""


class _CutOffError(ValueError):
    """The text ends before the value does; holds what is complete of it, if anything is."""

    def __init__(self, *complete: Any) -> None:
        super().__init__()
        self.complete = complete


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield every object that is not inside another one, in order; whatever the text, nothing is raised."""
    text = text[:_LONGEST]
    start = text.find("{")
    while start >= 0:
        try:
            value, end = _object(text, start, 1)
        except _CutOffError as error:
            yield from error.complete
            return
        except _NoJsonError:
            end = start + 1
        else:
            yield value
        start = text.find("{", end)


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    """Read the value that begins at a place; return it and where it ends."""
    if at >= len(text):
        raise _CutOffError
    if depth > _DEEPEST:
        raise _NoJsonError
    sign = text[at]
    if sign == "{":
        return _object(text, at, depth)
    if sign == "[":
        return _list(text, at, depth)
    if sign in _CLOSING:
        return _string(text, at)
    return _scalar(text, at)


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}  # of doubled keys the last counts, as for strict readers
    at = _skip(text, at + 1)
    try:
        while text[at : at + 1] != "}":
            key, at = _key(text, at)
            at = _skip(text, at)
            if text[at : at + 1] not in (":", ""):
                raise _NoJsonError
            at = _skip(text, at + 1)
            try:
                found[key], at = _value(text, at, depth + 1)
            except _CutOffError as error:
                if error.complete:
                    found[key] = error.complete[0]
                raise
            at = _comma(text, at, "}")
    except _CutOffError:
        raise _CutOffError(found) from None
    return found, at + 1


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    at = _skip(text, at + 1)
    try:
        while text[at : at + 1] != "]":
            try:
                value, at = _value(text, at, depth + 1)
            except _CutOffError as error:
                found += error.complete
                raise
            found.append(value)
            at = _comma(text, at, "]")
    except _CutOffError:
        raise _CutOffError(found) from None
    return found, at + 1


def _key(text: str, at: int) -> tuple[str, int]:
    if at >= len(text):
        raise _CutOffError
    if text[at] in _CLOSING:
        try:
            return _string(text, at)
        except _CutOffError:
            raise _CutOffError from None  # a key without a value says nothing
    if not (word := _WORD.match(text, at)):
        raise _NoJsonError
    return word[0], word.end()


def _comma(text: str, at: int, closing: str) -> int:
    """Go past a comma, also past one before the end; a value must not touch the next one."""
    at = _skip(text, at)
    if text[at : at + 1] == ",":
        return _skip(text, at + 1)
    if at >= len(text):
        raise _CutOffError
    if text[at] != closing:
        raise _NoJsonError
    return at


def _string(text: str, at: int) -> tuple[str, int]:
    closing = _CLOSING[text[at]]
    signs: list[str] = []
    at += 1
    while at < len(text):
        sign = text[at]
        if sign == closing:
            return _joined(signs), at + 1
        if sign != "\\":
            signs.append(sign)
            at += 1
            continue
        following = text[at + 1 : at + 2]
        if following == "u" and (code := _HEX.match(text, at + 2)):
            signs.append(chr(int(code[0], 16)))
            at += 6
        else:
            signs.append(_ESCAPES.get(following, following))
            at += 2
    whole_words = "".join(signs).split()[:-1]
    if len(whole_words) < _SENTENCE:
        raise _CutOffError
    raise _CutOffError(_joined([" ".join(whole_words)]) + " …")


def _scalar(text: str, at: int) -> tuple[Any, int]:
    if _LAST.match(text, at):
        raise _CutOffError  # more digits may have followed
    found = _NUMBER.match(text, at) or _WORD.match(text, at)
    if found is None:
        raise _NoJsonError
    if found[0].lower() in _WORDS:
        return _WORDS[found[0].lower()], found.end()
    try:
        value = int(found[0]) if found[0].lstrip("+-").isdigit() else float(found[0])
    except ValueError as error:  # a bare word, or more digits than Python reads
        raise _NoJsonError from error
    if not math.isfinite(value):
        raise _NoJsonError
    return value, found.end()


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _joined(signs: list[str]) -> str:
    """The pairs that JSON writes a character as become one; half a pair cannot be written anywhere."""
    text = "".join(signs)
    if not _SURROGATES.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
