"""An item's pictures: upright, reduced for the page, and said to be missing where they are."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.training.review.folder import Review
from geosleuth.training.review.item import Shown
from geosleuth.ui.view.picture import reduced
from geosleuth.ui.view.words import escape_markdown


def show_picture(review: Review, shown: Shown) -> None:
    """Draw a picture as wide as its column; a click on its corner shows it as large as the window."""
    import streamlit as st

    from geosleuth.ui.page.state import show_error

    try:
        path = review.picture(shown.path)
        picture = _picture(path, path.stat().st_mtime_ns)
    except InputError as error:
        show_error(error)
        return
    title = escape_markdown(shown.title)
    st.image(picture, caption=title, width="stretch", output_format="JPEG", alt=shown.title)


@lru_cache(maxsize=16)  # a page is drawn anew at each click, and decoding 12 MP takes 0.2 s
def _picture(path: Path, _changed_ns: int) -> Image.Image:
    try:
        return reduced(open_photo(path, name=path.name))[0]
    except OSError as error:
        raise InputError("a picture of this item", f"{path}: {error.strerror or error}", "Mend it, or skip.") from error
