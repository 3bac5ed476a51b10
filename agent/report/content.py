"""What a report is made of: an answer, its pictures, and who did what to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo_file import printable

if TYPE_CHECKING:
    from geosleuth.agent.cases.custody import Custody
    from geosleuth.agent.localization import Localization
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels


@dataclass(frozen=True)
class ReportContent:
    """All that `report_html` and `report_pdf` read; nothing else is looked up, so both say the same."""

    answer: Localization
    photos: Sequence[Photo] = ()  # as the tools saw them, in the order of `answer.photos`; may be fewer
    reference_pictures: Mapping[str, Pixels] = field(default_factory=dict)  # by `reference_id`, uint8 RGB (h, w, 3)
    custody: Custody | None = None  # of the case; None: the report tells what the answer itself knows
    case_name: str | None = None

    def __post_init__(self) -> None:
        """Refuse photos that are others.

        Raises:
            InputError: One is not the picture that the answer is about, as the tools saw it.
        """
        check_photos(self.answer, self.photos)


def check_photos(answer: Localization, photos: Sequence[Photo]) -> None:
    """Refuse pictures on which boxes and matches of an answer would lie wrong.

    Raises:
        InputError: A photo is not that of the answer in its place, or was turned or cropped in another way.
    """
    for facts, photo in zip(answer.photos, photos, strict=False):
        if (facts.sha256, facts.size, facts.edits) != (photo.sha256, photo.size, photo.edits):
            wanted = f"{_picture_words(facts.name, facts.size, facts.edits)}, as the answer's tools saw it"
            remedy = (
                "Load photos by `Agent.load`, with the settings of the answer (`turn_photos`), or ask again with these."
            )
            raise InputError(wanted, _picture_words(photo.name, photo.size, photo.edits), remedy)


def _picture_words(name: str, size: tuple[int, int], edits: Sequence[str]) -> str:
    return printable("; ".join([f"{name}, {size[0]} x {size[1]} pixels", *edits]))
