"""What a request asks of the teacher of invented towns: read leniently from the words of an OpenAI conversation."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Task = Literal["explain", "verdict", "look"]

_SENTENCE = re.compile(r"[^.?!。？！\n]*[.?!。？！\n]?")
_OPEN = re.compile(r"[?？]\s*$|\bwhether\b|\bif\b|是否")  # asks or leaves open, and so tells nothing
_DIFFERENT = re.compile(
    r"\bno[_ -]match\b|\bdifferent (?:place|location)s?\b|\banother place\b|\bnot (?:the )?same\b"
    r"|\bdo(?:es)? not match\b|不是同一|不同(?:的)?(?:地方|地点|位置)|不匹配|并非同一|另一个地方", re.I,
)  # fmt: skip
_SAME = re.compile(
    r"\bsame (?:place|location)\b|\bmatch(?:es)?\b|同一个?(?:地方|地点|位置)|相同的?(?:地方|地点)|匹配", re.I
)
_TOLD = re.compile(r"\bcertain\b|\bshows?\b|\blabel\b|\bverdict\b|\btruth\b|\bare\b|\bis\b|确定|标签|答案|是", re.I)
_CHINESE = re.compile(r"中文|\bin Chinese\b|\bChinese\b", re.I)
_ONE_WORD = re.compile(r"\bYes or No\b|\byes/no\b", re.I)
_QUOTED = re.compile(r"[\"“](.+)[\"”]", re.S)
_SPOKEN = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, understood."""

    task: Task
    pictures: tuple[bytes, ...]
    label: bool | None  # of the pair, where the request tells it
    chinese: bool
    words: str = ""  # that are to be looked for, for "look"


class UnreadableRequestError(Exception):
    """The request is none of those that the teacher knows; says why."""


def asked(messages: Any) -> Asked:
    """Understand a conversation.

    Raises:
        UnreadableRequestError: It is no conversation about one or two pictures.
    """
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise UnreadableRequestError("messages must be a list of objects")
    pictures = tuple(content for message in messages for content in _pictures(message))
    texts = [(str(message.get("role")), _text(message)) for message in messages]
    said = [text for role, text in texts if role == "user"]
    if not said or not 1 <= len(pictures) <= 2:
        raise UnreadableRequestError(f"one or two pictures and a question are wanted, not {len(pictures)} pictures")
    last = said[-1]
    if _ONE_WORD.search(last[-200:]):
        words = _QUOTED.search(last) if len(pictures) == 1 else None
        if len(pictures) == 1 and words is None:
            raise UnreadableRequestError("about one picture the words to look for must be quoted")
        return Asked("look" if words else "verdict", pictures, None, False, words[1] if words else "")
    if len(pictures) != 2:
        raise UnreadableRequestError("an explanation needs two pictures")
    return Asked("explain", pictures, _label(texts), bool(_CHINESE.search(last)))


def _label(texts: list[tuple[str, str]]) -> bool | None:
    """The verdict that the request states, or that the teacher itself has given before; None where there is none."""
    for role, text in reversed(texts):
        if role == "assistant" and text.strip().strip(".").lower() in _SPOKEN:
            return _SPOKEN[text.strip().strip(".").lower()]
        if role != "user":
            continue
        for sentence in _SENTENCE.findall(text):
            if _OPEN.search(sentence) or not _TOLD.search(sentence):
                continue
            if _DIFFERENT.search(sentence):
                return False
            if _SAME.search(sentence):
                return True
    return None


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _pictures(message: Mapping[str, Any]) -> Iterator[bytes]:
    content = message.get("content")
    for part in content if isinstance(content, list) else []:
        if not isinstance(part, dict) or part.get("type") != "image_url":
            continue
        given = part.get("image_url")
        url = given.get("url") if isinstance(given, dict) else given
        kind, comma, encoded = str(url).partition(",")
        if not comma or not kind.startswith("data:image/") or not kind.endswith(";base64"):
            raise UnreadableRequestError("pictures must be data URLs in base64")
        try:
            yield base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise UnreadableRequestError("a picture's base64 is damaged") from error
