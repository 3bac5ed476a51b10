"""A vision-language model on a server that speaks the OpenAI protocol: vLLM, SGLang, llama.cpp, `transformers serve`.

The photo leaves this machine only here, only to the server that a backend names. MODEL of `openai:MODEL@URL` may be the
name of a LoRA adapter that the server knows.
"""

from __future__ import annotations

import logging
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from geosleuth.indexes.backend import KEY_VARIABLE
from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.endpoint_server import Server
from geosleuth.tools.vlm.endpoint_view import EndpointView
from geosleuth.tools.vlm.requests_budget import RequestsBudget

if TYPE_CHECKING:
    from geosleuth.indexes.backend import Backend
    from geosleuth.tools.vlm.load import VlmOptions

logger = logging.getLogger(__name__)

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_VERSION = re.compile(r"/v\d+$")


def open_endpoint(backend: Backend, options: VlmOptions) -> Endpoint:
    """Open a model on a server; nothing is sent before the first question.

    Raises:
        InputError: langchain-openai is missing, or the URL is none or holds a password.
    """
    key = os.environ.get(KEY_VARIABLE) or None  # never OPENAI_API_KEY: that is another server's
    return _opened(backend, options, key)


@lru_cache(maxsize=8)  # a role each; what was learned about a server serves all photos
def _opened(backend: Backend, options: VlmOptions, key: str | None) -> Endpoint:
    try:
        from geosleuth.tools.vlm.openai_chat import open_chat
    except ImportError as error:
        raise InputError(
            "langchain-openai, to ask a server", str(error), "Install it with `pip install 'geosleuth[vlm]'`."
        ) from error
    url = versioned(backend.detail or "")
    if url.startswith("http:") and urlsplit(url).hostname not in _THIS_MACHINE:
        logger.warning("Photos go to %s unencrypted: anyone on the way can read them", url)
    chat = open_chat(backend.name, url, key, options.timeout_s)
    return Endpoint(str(backend), options, Server(backend.name, url, options.timeout_s, chat, key))


def versioned(url: str) -> str:
    """The URL up to its version; "/v1" is added where there is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InputError("the URL of a server", str(error), "Write it as http://HOST:PORT/v1.") from error
    if parts.username or parts.password or parts.query:
        where = f"{parts.scheme}://{parts.hostname}"
        remedy = f"Set {KEY_VARIABLE} to the key, and leave it out of the URL."
        raise InputError("a URL without secrets", f"a user, a password or a query in that of {where}", remedy)
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return urlunsplit((parts.scheme, parts.netloc, path if _VERSION.search(path) else f"{path}/v1", "", ""))


class Endpoint:
    """A model on a server, shared by all photos."""

    def __init__(self, spec: str, options: VlmOptions, server: Server) -> None:
        self.spec = spec
        self.server = server
        self._options = options

    def __repr__(self) -> str:
        return f"Endpoint({self.spec!r})"

    @property
    def weights(self) -> str:
        """See `EndpointView.weights`."""
        return self.server.described

    def for_photo(self, budget: RequestsBudget | None = None) -> EndpointView:
        """Open a view.

        Args:
            budget: Of the photo, where several models look at it; None: one of its own.
        """
        budget = budget or RequestsBudget(self._options.requests)
        return EndpointView(self.spec, self.server, self._options.max_pixels, budget)
