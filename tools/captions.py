"""Captions: writing that was laid over the picture. It says what somebody wrote, not what the scene shows.

A caption may be true, and often is; but whoever passes a photo on can write any place over it, while a sign in the
scene must have been there. So what a caption names counts, up to a limit that the scene's own evidence outweighs, and
the language that it is written in, its writer's, counts nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from geosleuth.tools.contacts import contact_clues
from geosleuth.tools.evidence import Evidence, NearPoints, OverRegions
from geosleuth.tools.place_names import place_clues
from geosleuth.tools.textline import TextLine

CAPTION = "reading.caption"
MOST = 8.0  # times as likely is what a caption can make a place, 3 bits: a policy, not a rate. One clear sign says more
_LIKELY = 0.5  # probability of being laid over from which a line is a caption


def is_caption(line: TextLine) -> bool:
    """Tell whether a line was laid over the picture."""
    return line.overlay > _LIKELY


def scene_lines(lines: Sequence[TextLine]) -> list[TextLine]:
    """Return the lines that stand in the scene."""
    return [line for line in lines if not is_caption(line)]


def caption_clues(captions: Sequence[TextLine]) -> list[Evidence]:
    """Return what captions name: towns, countries, phone numbers and web addresses; all of them are one witness."""
    return [_counted_little(piece) for piece in (*place_clues(captions), *contact_clues(captions))]


def _counted_little(piece: Evidence) -> Evidence:
    likelihood = piece.likelihood
    if isinstance(likelihood, OverRegions):
        least, most = (likelihood.otherwise + sign * math.log(MOST) for sign in (-1, 1))
        ratios = {code: min(max(ratio, least), most) for code, ratio in likelihood.log_ratios.items()}
        likelihood = likelihood.model_copy(update={"log_ratios": ratios})
    elif isinstance(likelihood, NearPoints):
        at: dict[tuple[float, float], float] = defaultdict(float)  # a town is two components: itself and its roads
        for place in likelihood.places:
            at[place.lat, place.lon] += place.weight
        scale = min(1.0, (MOST - 1) * likelihood.floor / max(*at.values(), 1e-9))
        places = tuple(place.model_copy(update={"weight": place.weight * scale}) for place in likelihood.places)
        likelihood = likelihood.model_copy(update={"places": places})
    claim = f"Laid over the picture: {piece.claim}"
    return piece.model_copy(update={"type": CAPTION, "claim": claim, "likelihood": likelihood, "group": "caption"})
