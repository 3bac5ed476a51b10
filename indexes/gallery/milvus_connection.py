"""Milvus: where a collection is, a connection to it, and its errors in our words."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.paths import absolute

logger = logging.getLogger(__name__)

SCHEME = "milvus:"
TOKEN_VARIABLE = "GEOSLEUTH_MILVUS_TOKEN"  # noqa: S105  "user:password", or an API key: spec strings end up in reports
CA_VARIABLE = (
    "GEOSLEUTH_MILVUS_CA"  # PEM file of the authority that signed the server's certificate, if not a public one
)

_FORM = "milvus:COLLECTION@URI"
_COLLECTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")  # Milvus allows 255; the name of the facts is longer
_SERVER_SCHEMES = ("http", "https", "tcp", "unix")
_CONNECT_S = 10.0
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class MilvusLocation:
    """A collection of a server, or of the embedded engine in a file."""

    collection: str
    uri: str  # http(s)://HOST:PORT[/DATABASE], or the absolute path of a file that ends in .db

    @property
    def file(self) -> Path | None:
        """The embedded engine's; None for a server."""
        return None if urlsplit(self.uri).scheme in _SERVER_SCHEMES else Path(self.uri)

    def __str__(self) -> str:
        return f"{SCHEME}{self.collection}@{self.uri}"


def parse_location(spec: str) -> MilvusLocation:
    """Read milvus:COLLECTION@URI.

    Raises:
        InputError: It has another form, or holds a password.
    """
    collection, at, uri = spec.strip().removeprefix(SCHEME).partition("@")
    if not spec.strip().startswith(SCHEME) or not at or not uri:
        example = "milvus:streets@http://localhost:19530 or milvus:streets@gallery.db"
        raise InputError(f"a gallery of the form {_FORM}", repr(spec), f"Write it as in {example}.")
    if not _COLLECTION.fullmatch(collection):
        remedy = "Use letters, digits and underscores, not beginning with a digit."
        raise InputError("the name of a collection", repr(collection), remedy)
    parts = urlsplit(uri)
    if parts.scheme not in _SERVER_SCHEMES:
        if not uri.endswith(".db"):  # pymilvus tells the embedded engine's files by this
            found = f"{uri!r} in {collection}@..."
            raise InputError("an address http(s)://HOST:PORT, or a file that ends in .db", found, "Correct the URI.")
        return MilvusLocation(collection, str(absolute(uri, "a Milvus file")))
    if parts.username or parts.password:
        found = f"a password in the address of {parts.hostname}"
        raise InputError("an address without credentials", found, f"Put USER:PASSWORD into {TOKEN_VARIABLE}.")
    return MilvusLocation(collection, uri.rstrip("/"))


def connect(location: MilvusLocation) -> Any:
    """Connect a client to the server, or start the embedded engine on a file (which is made if missing).

    Raises:
        InputError: pymilvus is missing, or the server cannot be reached.
    """
    try:
        from pymilvus import MilvusClient
    except ImportError as error:
        remedy = "Install it with `pip install 'geosleuth[scale]'`."
        raise InputError("pymilvus, which speaks to Milvus", "that it is not installed", remedy) from error
    for name in ("pymilvus", "milvus_lite"):  # they print every error with its trace; ours says it once
        logging.getLogger(name).setLevel(logging.CRITICAL)
    options: dict[str, Any] = {}
    if location.file is None:
        options["token"] = os.environ.get(TOKEN_VARIABLE, "")
        authority = os.environ.get(CA_VARIABLE)
        if authority and location.uri.startswith("https:"):
            options["server_pem_path"] = authority
        host = urlsplit(location.uri).hostname
        if options["token"] and location.uri.startswith(("http:", "tcp:")) and host not in _LOCAL_HOSTS:
            logger.warning("The Milvus token travels to %s unencrypted; use https:// if the server has TLS", host)
    with milvus_errors(location, "a Milvus server that answers"):
        return MilvusClient(uri=location.uri, timeout=_CONNECT_S, **options)


@contextmanager
def milvus_errors(location: MilvusLocation, wanted: str) -> Iterator[None]:
    """Turn the client's errors into ours."""
    import grpc  # type: ignore[import-untyped]  # pymilvus brings it
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except (MilvusException, grpc.RpcError) as error:
        raise _translated(error, location, wanted) from error


def _translated(error: Exception, location: MilvusLocation, wanted: str) -> InputError:
    message = str(getattr(error, "message", "") or error).splitlines()[0][:300]
    lowered = message.lower()
    if location.file is not None:
        if "not exists" in lowered and "dir" in lowered:
            return InputError(wanted, f"no folder {location.file.parent}", "Make it, or correct the path.")
        if "open local milvus failed" in lowered:
            found = f"a file that the embedded engine cannot open: {location.file}"
            return InputError(wanted, found, "Close the other program that has it open; otherwise upload again.")
    if any(word in lowered for word in ("auth", "unauthenticated", "permission", "privilege")):
        return InputError(wanted, f"that {location.uri} refuses: {message}", f"Set {TOKEN_VARIABLE} to USER:PASSWORD.")
    if any(word in lowered for word in ("connect", "unavailable", "deadline", "timeout")):
        remedy = (
            "Check the address and that the server runs; a collection of 100 million rows may need minutes to load."
        )
        return InputError(wanted, f"none at {location.uri} ({message})", remedy)
    return InputError(wanted, f"an error of {location.uri}: {message}", "See the server's log.")
