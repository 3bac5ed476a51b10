"""Sockets that are watched: nothing goes out, and who tried is known."""

import contextlib
import socket
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def watched_sockets() -> Iterator[list[str]]:
    """Yield a list that fills with every connection and every look-up of a name that somebody tries; none is made."""
    tried: list[str] = []

    def refused(what: str):
        def call(*args: object, **_: object) -> None:
            tried.append(f"{what} {args[-1] if args else ''}")
            raise OSError(f"no network in this test: {what} {args}")

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto", "sendmsg"):
            patch.setattr(socket.socket, name, refused(name))
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "create_connection"):
            patch.setattr(socket, name, refused(name))
        yield tried
