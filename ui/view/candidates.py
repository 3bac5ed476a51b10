"""Candidates side by side with the photo: matched features, verdict, reason, a model's explanation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from geosleuth.agent.figures import VERDICT_WORDS, km
from geosleuth.agent.printable import printable
from geosleuth.ui.view.words import escape_markdown, plain

if TYPE_CHECKING:
    from PIL import Image

    from geosleuth.agent.localization import ComparedReference, Localization
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.candidate import Explanation

PictureOf = Callable[["ComparedReference"], "Pixels | None"]


def candidates_list(
    answer: Localization, photos: Sequence[Photo], pictures: PictureOf, *, key: str = "candidates"
) -> None:
    """Draw each candidate beside the photo that it was compared with.

    Args:
        answer: Whose candidates to draw.
        photos: In the order of `answer.photos`, as the tools saw them.
        pictures: The candidate's own picture, None where it is gone; called only for candidates that are open.
        key: Of the expanders.
    """
    import streamlit as st

    if not answer.candidates:
        st.text(none_in_words(answer))
    for place, one in enumerate(answer.candidates):
        # By content: a new search has other candidates, of which the first is open again.
        at = f"{key}-{one.photo}-{one.reference_id}-{place}"
        box = st.expander(
            escape_markdown(title(one, several=len(answer.photos) > 1)), expanded=place == 0, key=at, on_change="rerun"
        )
        if box.open:
            with box:
                _compared(one, photos, pictures)
                _told(one)


def none_in_words(answer: Localization) -> str:
    """Say why there are no candidates."""
    if answer.precision_cap_km is not None:
        return f"Candidates are withheld under the precision cap of {km(answer.precision_cap_km)}."
    return "No gallery of reference pictures was searched, or nothing in it came near."


def title(one: ComparedReference, *, several: bool = False) -> str:
    """Return one candidate in a line; `several`: the scene has more photos than one."""
    of = f" of photo {one.photo + 1}" if several else ""
    away = f", {km(one.distance_km)} from the answer's point" if one.distance_km is not None else ""
    return f"Candidate {one.number}{of}: {verdict(one)}{away}"


def verdict(one: ComparedReference) -> str:
    """Return what verification said, in words."""
    return VERDICT_WORDS[one.verification.verdict if one.verification else None]


def _compared(one: ComparedReference, photos: Sequence[Photo], pictures: PictureOf) -> None:
    import streamlit as st

    pixels = pictures(one)
    photo = photos[one.photo] if one.photo < len(photos) else None
    if pixels is None or photo is None:
        gone = "The candidate's picture" if pixels is None else "The photo that it was compared with"
        st.info(f"{gone} cannot be shown: it is gone, or cannot be read.")
        return
    st.image(
        side_by_side(photo, pixels, one),
        width="stretch",
        output_format="JPEG",
        caption=f"Left photo {one.photo + 1}, right candidate {one.number}; lines join features that agree.",
        alt=f"Photo {one.photo + 1} beside candidate {one.number}: {verdict(one)}",
    )


def side_by_side(photo: Photo, pixels: Pixels, one: ComparedReference) -> Image.Image:
    """Draw photo and candidate with lines between the features that agree."""
    from geosleuth.tools.candidate import Verification
    from geosleuth.tools.match_picture import draw_matches

    unverified = Verification(verdict="not_applicable", reason="nobody compared its features", matcher="")
    names = {"query_name": photo.name, "reference_name": printable(one.uri)}
    return draw_matches(photo.pixels, pixels, one.verification or unverified, **names)


def _told(one: ComparedReference) -> None:
    """What was said of it, as text; nothing of it is markup."""
    import streamlit as st

    if one.verification is not None:
        st.text(plain(f"Verification: {one.verification.reason}"))
    if one.judgement is not None:
        st.text(plain(f"A model's opinion: {one.judgement.reason}"))
        if one.judgement.explanation is not None:
            _explanation(one.judgement.explanation)
    st.caption(escape_markdown(" · ".join(provenance(one))))
    st.caption("Position of the candidate, latitude and longitude")
    st.code(f"{one.lat:.6f}, {one.lon:.6f}", language=None)


def provenance(one: ComparedReference) -> list[str]:
    """Return where the candidate comes from, and on what terms."""
    facts = [one.uri, f"{one.view} view", f"similarity {one.similarity:.2f}", f"licence: {one.licence or 'not stated'}"]
    return facts + ([f"taken {one.captured_at}"] if one.captured_at else [])


def _explanation(words: Explanation) -> None:
    import streamlit as st

    if words.contradicts:
        st.warning("The model's reasons contradict its verdict: trust neither.", icon=":material/warning:")
    for label, features in (("Agree", words.agreeing), ("Differ", words.disagreeing)):
        if features:
            st.markdown(f"**{label}**\n" + "\n".join(f"- {escape_markdown(feature)}" for feature in features))
    st.text(plain(f"The model concludes: {words.conclusion}"))
    st.caption(escape_markdown(f"A model's words, no evidence ({words.weights})"))
