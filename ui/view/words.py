"""Words of strangers on Streamlit's page, as Markdown or as text, where they must do nothing."""

from __future__ import annotations

import re

from geosleuth.agent.printable import printable

_SIGNS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&:=/@^])")  # all that CommonMark lets a backslash make literal
# What Streamlit and GFM look for in the finished text, where a backslash has gone already: ":smile:", ":material/x:",
# ":streamlit:"; "http://", "www.", "name@host" as links; "--", "->", "<-", ">=", "<=", "~=" as typography.
_FOUND_LATER = re.compile(
    r"(?::(?=[\w+\-/]))|(?:(?<=:)/(?=/))|(?:\b[wW]{3}(?=\.))|(?:@(?=[\w\-]))|(?:<(?=[-=]))|(?:-(?=[->]))|(?:[>~](?==))"
)
_JOINER = "\u2060"  # WORD JOINER: no width, no line break, and no pattern above goes across it


def escape_markdown(text: str) -> str:
    """Return Markdown that shows the text, on one line, and does nothing else.

    Streamlit's Markdown knows links, images (which a browser would fetch), `:red[x]`, `:material/home:`, `:smile:`,
    `$x$` and HTML; labels, captions, headings and table cells are Markdown too. `st.text` needs none of this, and is
    better for what people copy: invisible joiners stand in the middle of addresses here.
    """
    parted = _FOUND_LATER.sub(lambda hit: hit[0] + _JOINER, printable(" ".join(text.split())))
    return _SIGNS.sub(r"\\\1", parted)


def plain(text: str) -> str:
    """Return text for `st.text`, `st.code` and descriptions of pictures: marks that turn its direction are shown."""
    return "\n".join(map(printable, text.splitlines()))
