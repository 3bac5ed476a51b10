"""Streamlit's question to an outside host which address this machine has: no page of ours asks it."""

from __future__ import annotations

_ASKING = ("get_external_ip", "get_internal_ip")  # of streamlit.net_util


def ask_nobody_for_our_address() -> None:
    """Have Streamlit know no address of this machine besides those that its options name; at once, and for good.

    It asks a host of Amazon when it begins to serve every address, and for any web page that is open beside ours and
    calls our server: such a page would make us speak to the network. (For the address in this machine's own network it
    sends nothing, but joins a socket to a host of Google, and a watch over connections tells of that.) Streamlit has no
    option against it. Whoever serves a page under one more origin names it in `server.corsAllowedOrigins`.

    The functions are replaced where Streamlit looks them up at each call. Where a later Streamlit has them no more, the
    page is served all the same, and tests/ui/page/test_own_address.py fails: then look what asks in their place.
    """
    try:
        from streamlit import net_util
    except ImportError:
        return
    for name in _ASKING:
        if hasattr(net_util, name):
            setattr(net_util, name, _unknown)


def _unknown() -> None:
    """Return no address: Streamlit compares with the others, and refuses the page that is none of them."""
    return None  # noqa: RET501 - what Streamlit takes for an address that could not be found
