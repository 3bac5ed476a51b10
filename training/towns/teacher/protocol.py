"""The JSON of the OpenAI protocol that the teacher of invented towns writes."""

from __future__ import annotations

import itertools
import math
import re
import time
from typing import Any

_SURE = 0.95  # of the word that it says: rules know no doubt, and a client's logarithm wants none of 0
_PICTURE_TOKENS = 256  # of a picture: in the order of what vision models take for one of a quarter of a megapixel
_TOKEN = re.compile(
    r"[\u3400-\u9fff]|\w+|[^\w\s]"
)  # a word, a sign, a Chinese character: an estimate, as it is a count
_numbers = itertools.count(1)


def tokens(text: str) -> int:
    """Count tokens, roughly."""
    return len(_TOKEN.findall(text))


def completion(body: dict[str, Any], text: str, *, finish: str = "stop", likely: bool = False) -> dict[str, Any]:
    """Return an answer to a request; it is cut at the request's limit of tokens.

    Args:
        body: The request.
        text: What is said.
        finish: Why it ended.
        likely: With the probabilities of Yes and No.
    """
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    found = list(_TOKEN.finditer(text))
    if isinstance(limit, int) and 0 < limit < len(found):
        text, finish = text[: found[limit - 1].end()], "length"
    choice: dict[str, Any] = {
        "index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish, "logprobs": None,
    }  # fmt: skip
    if likely:
        choice["logprobs"] = {"content": [_place(text)]}
    read, written = _read_tokens(body), tokens(text)
    return {
        "id": f"chatcmpl-{next(_numbers)}", "object": "chat.completion", "created": round(time.time()),
        "model": str(body.get("model", "")), "choices": [choice],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }  # fmt: skip


def _place(text: str) -> dict[str, Any]:
    other = "No" if text == "Yes" else "Yes"
    listed = [{"token": token, "logprob": math.log(share), "bytes": list(token.encode())}
              for token, share in ((text, _SURE), (other, 1.0 - _SURE))]  # fmt: skip
    return {**listed[0], "top_logprobs": listed}


def _read_tokens(body: dict[str, Any]) -> int:
    count = 0
    for message in body["messages"]:
        content = message.get("content")
        for part in content if isinstance(content, list) else [content]:
            is_picture = isinstance(part, dict) and part.get("type") == "image_url"
            said = part.get("text", "") if isinstance(part, dict) else part
            count += _PICTURE_TOKENS if is_picture else tokens(str(said or ""))
    return count


def models(name: str, created: int) -> dict[str, Any]:
    """Return the list of models: one."""
    return {"object": "list", "data": [{"id": name, "object": "model", "created": created, "owned_by": "geosleuth"}]}


def failure(message: str, code: str) -> dict[str, Any]:
    """Return an error's JSON."""
    return {"error": {"message": message, "type": code, "param": None, "code": code}}


def streamed_refusal() -> tuple[int, dict[str, Any], dict[str, str]]:
    """Refuse to answer piece by piece."""
    return 400, failure("this server does not stream: ask with stream false", "invalid_request_error"), {}
