"""What a server's refusal means, in three parts for people; with its own words, cut and without the key."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model import UnavailableError

if TYPE_CHECKING:
    import openai

_LONGEST = 240  # characters of a server's words
_LISTED = 20  # models that are named where the wanted one is not there

# How servers name what they do not take: vLLM, SGLang and llama.cpp by the parameter, others in words.
OPTIONAL = {
    "response_format": (
        "response_format",
        "json_schema",
        "json schema",
        "guided",
        "structured output",
        "grammar",
        "does not match the expected",  # llama.cpp, where a reply under a schema was cut off
    ),
    "logprobs": ("logprobs",),
    "continuation": ("continue_final_message", "add_generation_prompt", "prefill", "final message", "last message"),
    "seed": ("seed",),
    "tools": ("tool", "--jinja"),
}
_ABOUT_IMAGES = ("image", "multimodal", "multi-modal", "multi modal", "vision", "mmproj")
_ABOUT_THE_MODEL = re.compile(
    r"model\b.*\b(?:not (?:be )?(?:found|exist|loaded)|does not exist|unknown)|pinned to", re.S
)
_ABOUT_LENGTH = ("context length", "context size", "context window", "maximum context", "too many tokens", "too long")


def refused_parameter(error: openai.APIStatusError, sent: Collection[str]) -> str | None:
    """Name the optional parameter that the server does not take, of those that were sent."""
    if error.status_code not in (400, 404, 422, 500, 501):
        return None
    words = _words_of(error).lower()
    return next((name for name, signs in OPTIONAL.items() if name in sent and any(one in words for one in signs)), None)


def may_pass(error: openai.APIError) -> bool:
    """Say whether the same request may succeed a little later.

    A time-out does not: whoever waited for the longest that a user allows shall not wait as long again.
    """
    import openai

    if isinstance(error, openai.APIStatusError):
        words = _words_of(error).lower()
        if any(sign in words for sign in (*_ABOUT_IMAGES, *_ABOUT_LENGTH)):
            return False  # llama.cpp answers 500 to an image that it cannot read
        return error.status_code in (408, 425, 429) or error.status_code >= 500
    return isinstance(error, openai.APIConnectionError) and not isinstance(error, openai.APITimeoutError)


def is_lost(error: openai.APIError) -> bool:
    """Say whether no other request to this server will fare better while one photo is looked at.

    One that is busy or slow may answer a smaller question a little later.
    """
    import openai

    if isinstance(error, openai.APIStatusError):
        return error.status_code in (401, 403, 502, 503, 504)  # a gateway whose server is away answers the last three
    if isinstance(error, openai.APITimeoutError):
        return type(error.__cause__).__name__ == "ConnectTimeout"
    return isinstance(error, openai.APIConnectionError)


def explained(
    error: openai.APIError, *, model: str, url: str, key: str | None, timeout_s: float, models: Callable[[], list[str]]
) -> InputError:
    """Turn what the client raised into an error for people.

    Args:
        error: As raised.
        model: That was asked for.
        url: Of the server.
        key: Which must not be shown, though the server may quote it.
        timeout_s: Per request.
        models: Asks the server which models it has; only called where the name is wrong.
    """
    import openai

    if isinstance(error, openai.APITimeoutError):
        remedy = "Raise endpoint_timeout_s, lower vlm_max_pixels, or see whether the server is overloaded."
        return UnavailableError(f"an answer from {url} within {timeout_s:g} s", "none", remedy)
    if isinstance(error, openai.APIConnectionError):
        cause = quoted(str(_innermost(error)), key)
        remedy = "Start the server, or correct the URL of the backend."
        return UnavailableError(f"a server at {url}", f"none that answers ({cause})", remedy)
    if not isinstance(error, openai.APIStatusError):
        return unreadable(quoted(str(error), key), url)
    words = quoted(_words_of(error), key)
    return _explained_status(error.status_code, words, model, url, models)


def unreadable(what: str, url: str) -> InputError:
    """The response is no such thing as a server of this protocol sends."""
    remedy = "See whether the URL is that of an OpenAI-compatible server; it often ends in /v1."
    return InputError(f"a response of the OpenAI protocol from {url}", what, remedy)


def _explained_status(status: int, words: str, model: str, url: str, models: Callable[[], list[str]]) -> InputError:
    lower = words.lower()
    said = f"status {status}: {words}" if words else f"status {status}"
    if status in (401, 403):
        return UnavailableError(f"access to {url}", said, "Set GEOSLEUTH_ENDPOINT_KEY to a key of this server.")
    if 300 <= status < 400:
        return InputError(f"an answer from {url}", f"a redirection ({said})", "Name the server that it leads to.")
    if status == 404 or (status == 400 and _ABOUT_THE_MODEL.search(lower)):
        known = models()[:_LISTED]
        remedy = f"Name one of: {', '.join(known)}." if known else "Name the model as the server was started with it."
        remedy = f"{remedy} Correct the URL if the server is another."
        return UnavailableError(f"the model {model!r} at {url}", said, remedy)
    if status == 413 or any(sign in lower for sign in _ABOUT_LENGTH):
        remedy = "Lower vlm_max_pixels, or start the server with a longer context."
        return InputError(f"a request that fits {model!r} at {url}", said, remedy)
    if any(sign in lower for sign in _ABOUT_IMAGES):
        remedy = "Serve a vision-language model, and allow it as many images as a request has (--limit-mm-per-prompt)."
        return InputError(f"a server that reads images at {url}", said, remedy)
    if status == 429:
        return UnavailableError(f"an answer from {url}", f"a server that is busy ({said})", "Try again later.")
    if status >= 500:
        failure = UnavailableError if status in (502, 503, 504) else InputError
        return failure(f"an answer from {url}", f"a server that failed ({said})", "Read the server's log.")
    return InputError(f"an answer from {url}", said, "Read the server's log, and its documentation of this request.")


def _innermost(error: BaseException) -> BaseException:
    """The clients wrap the system's words twice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _words_of(error: openai.APIStatusError) -> str:
    """The message inside the body, wherever this server puts it; the field that names the parameter as well."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict):
            parts = [inner.get(name) for name in ("message", "detail", "param", "error")]
            return " ".join(str(part) for part in parts if part) or str(inner)
        return str(inner)
    return str(body or error.response.text or error.message)


def quoted(text: str, key: str | None, longest: int = _LONGEST) -> str:
    """A server's words as people and files may have them: on one line, without the key, and then cut."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if key:
        plain = plain.replace(key, "***")
    return plain[:longest].rstrip(".")
