"""What a report is made of: an answer, its pictures, and who did what to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
