"""Captions: writing that was laid over the picture. It says what somebody wrote, not what the scene shows.

A caption may be true, and often is; but whoever passes a photo on can write any place over it, while a sign in the
scene must have been there. So what a caption names counts, up to a limit that the scene's own evidence outweighs, and
the language that it is written in, its writer's, counts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geosleuth.indexes.geodesy import distance_km
from geosleuth.tools.contacts import contact_clues
from geosleuth.tools.evidence import Evidence, NearPoints, Nothing, OverRegions, Support
from geosleuth.tools.place_names import place_clues
from geosleuth.tools.quoting import quoted
from geosleuth.tools.textline import TextLine

CAPTION = "reading.caption"
MOST = 8.0  # times as likely is what a caption can make a place, 3 bits: a policy, not a rate. One clear sign says more
_SHOWN = 5  # of the lines that name nothing
_LIKELY = 0.5  # probability of being laid over from which a line is a caption


def is_caption(line: TextLine) -> bool:
    """Tell whether a line was laid over the picture."""
    return line.overlay > _LIKELY


def scene_lines(lines: Sequence[TextLine]) -> list[TextLine]:
    """Return the lines that stand in the scene."""
    return [line for line in lines if not is_caption(line)]


def caption_clues(captions: Sequence[TextLine]) -> list[Evidence]:
    """Return what captions name: towns, countries, phone numbers and web addresses; all of them are one witness.

    A caption that names none is told as well, so that nothing that was read is lost.
    """
    sure = {line.box: line.overlay for line in captions}
    named = [*place_clues(captions), *contact_clues(captions)]
    told = {support.box for piece in named for support in piece.support}
    silent = [line for line in captions if line.box not in told]
    return [_counted_little(piece, sure) for piece in named] + ([_not_counted(silent)] if silent else [])


def _not_counted(captions: Sequence[TextLine]) -> Evidence:
    what = "a line that seems" if len(captions) == 1 else f"{len(captions)} lines that seem"
    reason = f"{what} to be laid over the picture, and {'names' if len(captions) == 1 else 'name'} no place"
    texts = ", ".join(quoted(line.text) for line in captions[:_SHOWN] if line.text)
    return Evidence(
        tool="reading",
        type=CAPTION,
        claim=f"{reason[0].upper()}{reason[1:]}" + (f": {texts}" if texts else ""),
        likelihood=Nothing(reason=reason),
        group="caption",
        support=tuple(Support(box=line.box, text=quoted(line.text, bare=True) or None) for line in captions),
    )


def _counted_little(piece: Evidence, sure: Mapping[Any, float]) -> Evidence:
    likelihood = piece.likelihood
    if isinstance(likelihood, OverRegions):
        most = likelihood.otherwise + math.log(MOST)
        ratios = {code: min(ratio, most) for code, ratio in likelihood.log_ratios.items()}
        likelihood = likelihood.model_copy(update={"log_ratios": ratios})
    elif isinstance(likelihood, NearPoints):
        scale = min(1.0, (MOST - 1) * likelihood.floor / _highest(likelihood))
        places = tuple(place.model_copy(update={"weight": place.weight * scale}) for place in likelihood.places)
        likelihood = likelihood.model_copy(update={"places": places})
    share = max((sure.get(support.box, 0.0) for support in piece.support), default=0.0)
    claim = f"Seems to be laid over the picture ({share:.0%}): {piece.claim}"
    return piece.model_copy(update={"type": CAPTION, "claim": claim, "likelihood": likelihood, "group": "caption"})


def _highest(likelihood: NearPoints) -> float:
    """The sum of all bumps where it is highest: a town is two of them, and namesakes may be neighbours."""
    lats, lons, spreads, weights = np.array([(p.lat, p.lon, p.spread_km, p.weight) for p in likelihood.places]).T
    km = distance_km(lats[:, None], lons[:, None], lats, lons)
    return float((np.exp(-0.5 * np.minimum((km / spreads) ** 2, 1400.0)) @ weights).max())
