"""Whether a server of the OpenAI protocol answers, and which models it lists."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from geosleuth.indexes.backend import KEY_VARIABLE
from geosleuth.indexes.errors import InputError

TIMEOUT_S = 3.0  # a server that runs lists its models at once; a person waits for the report
_MOST_BYTES = 1_000_000  # of a list of models; a server's list has some hundred bytes a model


@dataclass(frozen=True)
class Listing:
    """What a server said."""

    asked: str  # URL
    models: tuple[str, ...] = ()
    trouble: str | None = None  # None: it answered
    remedy: str = ""


class _NoRedirect(HTTPRedirectHandler):
    """The key goes to the server that the settings name and nowhere else, so no proxy is asked either."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def model_listing(url: str) -> Listing:
    """Ask for the list of models; the key of the environment goes with it."""
    from geosleuth.tools.vlm.endpoint import versioned

    try:
        asked = f"{versioned(url)}/models"  # as the photos' requests have it
    except InputError as error:
        return Listing("the server's list", trouble=f"wanted {error.wanted}, found {error.found}", remedy=error.remedy)
    key = os.environ.get(KEY_VARIABLE)
    request = Request(asked, headers={"Authorization": f"Bearer {key}"} if key else {})  # noqa: S310  http(s): backend.py
    try:
        with build_opener(_NoRedirect, ProxyHandler({})).open(request, timeout=TIMEOUT_S) as answer:
            said = json.loads(answer.read(_MOST_BYTES))
        models = tuple(str(one["id"]) for one in said["data"])
    except HTTPError as error:
        return Listing(asked, trouble=f"it answers {error.code} {error.reason}", remedy=_remedy(error.code))
    except (URLError, OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        waited = f", after {TIMEOUT_S:.0f} s" if isinstance(reason, TimeoutError) else ""
        remedy = "Start the server, or correct the URL after the @"
        return Listing(asked, trouble=f"no answer ({reason}{waited})", remedy=remedy)
    except (ValueError, KeyError, TypeError):
        return Listing(asked, trouble="what it answers is no list of models", remedy=_remedy(404))
    return Listing(asked, models)


def _remedy(code: int) -> str:
    if code in (401, 403):
        return f"Set the environment variable {KEY_VARIABLE} to the server's key"
    if code == 404:
        return "Correct the URL after the @: most servers' ends in /v1"
    return "Look into the server's log"
