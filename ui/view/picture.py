"""The photo with what was found in it: boxes numbered as the evidence is, points that match a candidate."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PIL import Image, ImageDraw

from geosleuth.agent.figures import photo_name
from geosleuth.ui.view.boxes import draw_boxes
from geosleuth.ui.view.numbered import Clue, in_photo, numbered
from geosleuth.ui.view.words import escape_markdown, plain

if TYPE_CHECKING:
    from geosleuth.agent.localization import ComparedReference, Localization
    from geosleuth.indexes.photo import Photo

MAX_SIDE_PX = 1600  # twice the column of a wide page, for dense screens; as JPEG a few hundred kB
_DARK, _MATCHED = (20, 20, 20), (86, 180, 233)  # a ring seen on any ground; Okabe and Ito's sky blue
_MOST_POINTS = 100  # as many as verification keeps
# A page is drawn anew at each click, and reducing 12 MP takes 0.4 s. What is kept goes with its photo.
_reduced: WeakKeyDictionary[Photo, tuple[Image.Image, float]] = WeakKeyDictionary()


def photo_with_boxes(
    photo: Photo,
    answer: Localization,
    index: int = 0,
    *,
    chosen: Collection[str] = (),
    candidate: ComparedReference | None = None,
) -> Image.Image:
    """Return photo `index` of the answer, no side above `MAX_SIDE_PX`, with its boxes drawn.

    Args:
        photo: As the tools saw it (edited), upright.
        answer: Whose evidence has the boxes.
        index: Into `answer.photos`.
        chosen: Ids of evidence to stand out; the others' boxes are then thin.
        candidate: Whose matched features to draw as well.
    """
    picture, scale = reduced(photo)
    draw = ImageDraw.Draw(picture)
    draw_boxes(draw, in_photo(numbered(answer), index), scale, picture.size, chosen)
    if candidate is not None and candidate.verification is not None and candidate.photo == index:
        radius = max(3.0, max(picture.size) / 300)
        for x, y, _, _ in candidate.verification.points[:_MOST_POINTS]:
            at = (x * scale - radius, y * scale - radius, x * scale + radius, y * scale + radius)
            draw.ellipse(at, fill=_MATCHED, outline=_DARK, width=1)
    return picture


def reduced(photo: Photo) -> tuple[Image.Image, float]:
    """Return the picture as it is sent, a new one each time, and by what its coordinates are to be multiplied."""
    if photo not in _reduced:
        _reduced[photo] = _reduce(photo)
    image, scale = _reduced[photo]
    return image.copy(), scale


def _reduce(photo: Photo) -> tuple[Image.Image, float]:
    scale = min(1.0, MAX_SIDE_PX / max(photo.size))
    image = Image.fromarray(photo.pixels_at(MAX_SIDE_PX) if scale < 1.0 else photo.pixels)
    size = max(1, round(photo.size[0] * scale)), max(1, round(photo.size[1] * scale))
    return (image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0) if image.size != size else image), scale


def show_photo(photo: Photo, answer: Localization | None, index: int = 0, *, key: str) -> None:
    """Draw the photo with boxes and matched features, a caption, and pills that pick the clue that stands out.

    Without an answer (the run goes on) the bare photo is drawn.
    """
    import streamlit as st

    if answer is None:
        st.image(reduced(photo)[0], width="stretch", caption=escape_markdown(photo.name), alt="The photo")
        return

    @st.fragment  # a pick draws this picture anew, and nothing else of the page
    def drawn() -> None:
        clues = in_photo(numbered(answer), index)
        picked = _picked(clues, key=f"{key}-clue") if clues else None
        picture = photo_with_boxes(
            photo, answer, index, chosen=(picked,) if picked else (), candidate=matched(answer, index)
        )
        st.image(
            picture,
            width="stretch",
            caption=escape_markdown(caption(answer, index)),
            output_format="JPEG",
            alt=plain(described(answer, index)),
        )

    drawn()


def matched(answer: Localization, index: int) -> ComparedReference | None:
    """Return the best candidate that verification accepted for photo `index`: its features are shown on the photo."""
    accepted = (one for one in answer.candidates if one.verification and one.verification.verdict == "match")
    return next((one for one in accepted if one.photo == index), None)


def caption(answer: Localization, index: int) -> str:
    """Return the words below the picture."""
    photos = answer.photos or (answer.photo,)
    edits = "; ".join(photos[index].edits) if index < len(photos) else ""
    clues = in_photo(numbered(answer), index)
    boxes = " Boxes have the numbers of the clues." if clues else " No clue has a box in it."
    found = matched(answer, index)
    dots = f" Dots are features that agree with candidate {found.rank}." if found else ""
    return f"{photo_name(answer, index)}{f' ({edits})' if edits else ''}.{boxes}{dots}"


def described(answer: Localization, index: int) -> str:
    """Return the picture in words, for those who do not see it: what was read where."""
    read = [f"{clue.number}: {_texts(clue)}{_where(clue, answer, index)}" for clue in in_photo(numbered(answer), index)]
    return f"The photo, with {len(read)} numbered clues. {'; '.join(read)}" if read else "The photo, without clues"


def _texts(clue: Clue) -> str:
    return ", ".join(support.text for support in clue.item.support if support.text) or clue.item.type


def _where(clue: Clue, answer: Localization, index: int) -> str:
    """Say in which ninth of the picture the first box of a clue is."""
    box = next(support.box for support in clue.item.support if support.box)
    photos = answer.photos or (answer.photo,)
    if index >= len(photos):
        return ""
    width, height = photos[index].size
    x = sum(corner[0] for corner in box) / len(box) / width
    y = sum(corner[1] for corner in box) / len(box) / height
    rows = "top" if y < 1 / 3 else "middle" if y < 2 / 3 else "bottom"
    columns = "left" if x < 1 / 3 else "centre" if x < 2 / 3 else "right"
    return f" ({rows} {columns})"


def _picked(clues: Sequence[Clue], *, key: str) -> str | None:
    """Let a person pick one clue; return its id."""
    import streamlit as st

    names = {clue.item.id: str(clue.number) for clue in clues if clue.item.id}  # older answers name nothing
    return st.pills("Point out clue", list(names), format_func=lambda one: names[one], key=key)
