"""Each piece of evidence: its number, claim, bits and source, and a switch by which it does not count."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from geosleuth.agent import figures
from geosleuth.ui.view.numbered import Clue, numbered, silent
from geosleuth.ui.view.words import escape_markdown, plain

if TYPE_CHECKING:
    from geosleuth.agent.localization import Localization, WeighedEvidence

_SOURCES = 3  # of one piece; more hide the claim


def evidence_list(answer: Localization, *, key: str) -> frozenset[str]:
    """Draw contradictions, then the evidence by photo; return the ids that the person has switched off.

    Compare with `Inquiry.left_out`: where the two differ, the person has changed something. The switches begin as the
    answer has them (`WeighedEvidence.left_out`), and do so anew for each answer.
    """
    import streamlit as st

    clues = numbered(answer)
    _contradictions(answer, clues)
    hint = "Switch a clue off to see the answer without this clue."
    st.caption(hint if clues else "No tool found anything that tells of a place.")
    state = f"{key}-{_fingerprint(answer)}"
    off: set[str] = set()
    photos = sorted({clue.item.photo for clue in clues}, key=lambda photo: -1 if photo is None else photo)
    for photo in photos:
        if len(photos) > 1:
            st.markdown(f"**{escape_markdown(figures.photo_name(answer, photo))}**")
        for clue in clues:
            if clue.item.photo == photo and not _clue(clue, key=f"{state}-{clue.number}"):
                off.add(clue.item.id)
    _silent(answer)
    return frozenset(off)


def _clue(clue: Clue, *, key: str) -> bool:
    """Draw one piece; return whether it is to count."""
    import streamlit as st

    number, item = clue
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{number}** · {effect(item)}")
            counts = st.toggle(
                f"Clue {number} counts",
                value=not item.left_out,
                key=key,
                disabled=not item.id,  # an answer of an older version: nothing to name it by
            )
        st.text(plain(item.claim))
        st.caption(escape_markdown(origin(item)))
    return bool(counts)


def effect(item: WeighedEvidence) -> str:
    """Return what a piece did to the answer, in words and bits, as Markdown."""
    if item.left_out:
        return ":gray[left out: the answer is without it]"
    told = figures.bits(item.contribution_bits).replace("-", "−")  # a minus sign, and no start of a list
    if told == "0.0 bits":
        return "makes no difference by itself"
    return f"**{told}** {'speaks for' if item.contribution_bits > 0 else 'speaks against'} the answer"


def origin(item: WeighedEvidence) -> str:
    """Return which tool found a piece, by which rule and source, and where it can be seen."""
    sources = list(dict.fromkeys(support.source for support in item.support if support.source))
    rules = list(dict.fromkeys(support.rule for support in item.support if support.rule))
    boxes = sum(support.box is not None for support in item.support)
    parts = [item.tool.replace("_", " ")]
    parts += [f"rule: {'; '.join(rules[:_SOURCES])}"] if rules else []
    parts += [f"source: {'; '.join(sources[:_SOURCES])}{_more(sources)}"] if sources else []
    parts += [f"weights: {item.weights}"] if item.weights else []
    if boxes:
        photo = f"photo {item.photo + 1}" if item.photo is not None else "the photo"
        parts.append(f"{boxes} {'box' if boxes == 1 else 'boxes'} in {photo}")
    return " · ".join(parts)


def _more(sources: list[str]) -> str:
    return f" and {len(sources) - _SOURCES} more" if len(sources) > _SOURCES else ""


def _contradictions(answer: Localization, clues: list[Clue]) -> None:
    import streamlit as st

    numbers = {id(clue.item): clue.number for clue in clues}
    for contradiction in answer.contradictions:
        items = [answer.evidence[i] for i in contradiction.evidence if i < len(answer.evidence)]
        named = sorted(numbers[id(item)] for item in items if id(item) in numbers)
        of = f" (clues {', '.join(map(str, named))})" if named else ""
        st.warning(f"Contradiction{of}: {escape_markdown(contradiction.claim)}", icon=":material/warning:")


def _silent(answer: Localization) -> None:
    import streamlit as st

    items = silent(answer)
    if items:
        with st.expander(f"Tools that looked and learned nothing ({len(items)})"):
            for item in items:
                opinion = "a model's opinion, no evidence: " if item.type == "gleam_x.match" else ""
                st.text(plain(f"{item.tool.replace('_', ' ')}: {opinion}{item.claim}"))


def _fingerprint(answer: Localization) -> str:
    """Name the answer's evidence and what is left out of it: under another name, switches begin anew."""
    told = "|".join(f"{item.id}{item.left_out}{item.contribution_bits:.4f}" for item in answer.evidence)
    return hashlib.sha256(told.encode()).hexdigest()[:12]
