"""Whose cases are shown: the one person at this machine, or who has logged in."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from geosleuth.indexes.errors import InputError

LOCAL = "local"  # the owner of all cases where nobody can log in


def owner_of(address: str | None, *, login: bool, user: Mapping[str, Any]) -> str | None:
    """Return the owner of the cases that may be shown, or None while nobody has logged in.

    Args:
        address: What the server is bound to; None is every address of the machine.
        login: Whether a login is configured.
        user: What the identity provider says; empty without one.

    Raises:
        InputError: Anybody on the network could reach the server, and no login is configured; or the provider does
            not say who the person is.
    """
    if not login:
        if is_loopback(address):
            return LOCAL
        remedy = "Start it with `geosleuth chat` alone; for several people configure a login, see docs/chat.md."
        found = f"one bound to {address or 'every address'}, and no login"
        raise InputError("a server that only this machine reaches", found, remedy)
    if not user.get("is_logged_in"):
        return None
    issuer, subject = user.get("iss"), user.get("sub")
    if not issuer or not subject:
        remedy = "Use a provider of OpenID Connect: its tokens carry `iss` and `sub`."
        raise InputError("a person's identity", "a login without issuer or subject", remedy)
    # Not the e-mail address: a provider may hand it to another person. The line break can stand in neither part.
    return f"{issuer}\n{subject}"


def is_loopback(address: str | None) -> bool:
    """Whether only this machine reaches a server that is bound to `address`."""
    if not address:
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False
