"""GeoReasoner on labelled street views: what the model answers to each, with the tool's own prompt and reading.

Of each photo two things are asked: the probability of every country, read off as the tool reads it, and the reply that
the model finds likeliest. Nothing is asked twice.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.tools.georeasoner import country_shares
from geosleuth.tools.georeasoner_reply import BEGUN, QUESTION, GeoAnswer, prompt, scored_beginnings
from geosleuth.tools.vlm.model import UnavailableError
from geosleuth.tools.vlm.structured import Unreadable, read_as
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.evaluate.vlm.answer_file import Answered, AnswerFile, OnAsked, answer_key, refuse_if_none

if TYPE_CHECKING:
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.vlm.load import SharedModel
    from geosleuth.tools.vlm.model import VisionLanguageModel
    from geosleuth.training.georeasoner.street_views import StreetView

logger = logging.getLogger(__name__)

_MOST_TOKENS = 512  # of a reply, as the tool asks for
_LEAST_SHARE = 1e-4  # of a country that is kept: 250 smaller ones make 2.5 % at most


class PriorAnswer(Answered):
    """What the model said of one photo."""

    text: str
    """Its greedy reply, as it came."""
    finished: bool
    shares: dict[str, float] | None
    """Probability by country code, the largest first; None where the server gives no probabilities."""

    @property
    def reply(self) -> GeoAnswer | None:
        """The reply as the tool reads it; None where it holds no answer."""
        read = read_as(self.text, GeoAnswer)
        return None if isinstance(read, Unreadable) else read


@dataclass(frozen=True)
class AskedViews:
    """Views and what was answered to each, in one order; views that could not be asked are `missing`."""

    views: tuple[StreetView, ...]
    answers: tuple[PriorAnswer | None, ...]
    photos: tuple[str, ...]  # SHA-256 of each picture, the view's name where there is none
    missing: tuple[Skipped, ...]
    weights: str


def ask_views(
    views: Sequence[StreetView],
    model: SharedModel,
    answers: AnswerFile[PriorAnswer],
    *,
    on_asked: OnAsked | None = None,
) -> AskedViews:
    """Ask about every view that `answers` has nothing on.

    Raises:
        UnavailableError: The server does not answer any more; what it answered before is kept.
        InputError: There is no view that could be asked about, so nothing can be measured.
    """
    found: list[PriorAnswer | None] = []
    photos: list[str] = []
    missing: list[Skipped] = []
    for view in views:
        photo_sha256, answer = view.path.name, None
        try:
            photo = open_photo(view.path)
            photo_sha256 = photo.sha256
            key = prior_key(model.weights, photo.sha256)
            if key not in answers:
                answers.add(_asked(key, photo.pixels, model.for_photo()))
            answer = answers[key]
        except UnavailableError:
            raise
        except InputError as error:  # a damaged picture, or one that the server refuses: it counts as unanswered
            logger.warning("Photo %d of %d is not answered; the report names it, and why", len(found) + 1, len(views))
            logger.debug("Why %s is not: %s", view.path, error)
            missing.append(Skipped(str(view.path), str(error)))
        found.append(answer)
        photos.append(photo_sha256)
        if on_asked:
            on_asked(len(found), len(views))
    refuse_if_none(len(found) - len(missing), missing, "photos", "the paths in --data, --root and the pictures")
    return AskedViews(tuple(views), tuple(found), tuple(photos), tuple(missing), model.weights)


def prior_key(weights: str, photo_sha256: str) -> str:
    """Name the question about a photo; other words of the prompt, or other names of countries, are another one."""
    return answer_key(weights, [photo_sha256], "prior", QUESTION, BEGUN, str(_MOST_TOKENS), _names_hash())


def _asked(key: str, pixels: Pixels, model: VisionLanguageModel) -> PriorAnswer:
    shares = _shares(pixels, model)
    [[reply]] = model.generate([prompt(pixels)], max_tokens=_MOST_TOKENS, schema=GeoAnswer)
    return PriorAnswer(key=key, text=reply.text, finished=reply.finished, shares=shares)


def _shares(pixels: Pixels, model: VisionLanguageModel) -> dict[str, float] | None:
    """Probability of each country; None where the server gives none."""
    try:
        return _largest(country_shares(pixels, model))
    except UnavailableError:
        raise
    except InputError as error:
        logger.info("Countries cannot be scored: %s", error)
        return None


def _largest(shares: Mapping[str, float]) -> dict[str, float]:
    kept = [(code, round(value, 6)) for code, value in shares.items() if value >= _LEAST_SHARE]
    return dict(sorted(kept, key=lambda pair: (-pair[1], pair[0])))


def _names_hash() -> str:
    return hashlib.sha256(repr(scored_beginnings()).encode()).hexdigest()
