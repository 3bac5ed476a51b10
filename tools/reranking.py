"""Geographic reranking: candidates ordered by what they look like and by where they lie. One function, three modes.

`none`    score = similarity
`point`   score = similarity + 0.2 * span * exp(-d / 200 km), d the distance to the point of the prior: VLM-guided place
          recognition (arXiv 2507.17455) orders by similarity and by distance to the model's guess; neither its formula
          nor its weight is public.
`belief`  score = similarity / (0.1 * span) + ln(density), the belief's probability per km2 at the reference: Bayes'
          rule, with a similarity's log-likelihood taken as linear, as the losses that train such encoders have it.

`span` is 1 - the median similarity of the candidates of the same view: what there is between "like most others" and
"the same". Encoders differ in it: by the embedded one unrelated street photos have 0.89, and those trained by contrast
spread them far wider.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Literal, get_args

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import Floats, LatLon, distance_km
from geosleuth.tools.candidate import Candidate

Mode = Literal["none", "point", "belief"]

# A guess of a vision-language model lies within 200 km for 6 photos of 10 (Im2GPS3k: Img2Loc 57.9 %, VLM-VPR 59.8 %):
# nearer than that, distance to the guess tells little; at 750 km (one of four) almost all of the bonus is gone.
_REACH_KM = 200.0
# The most that nearness may outweigh, as a share of the span: what 50 m of walking cost the same place (by the embedded
# encoder 0.023 of 0.1). Too strong a proximity weight is a known failure of the method: a wrong guess alone must not
# bury the true reference.
_POINT_WEIGHT = 0.2
# What a likelihood ratio of e costs in similarity, as a share of the span. Contrastive losses start from a temperature
# of 0.07 (CLIP, Sample4Geo) and use most of [0, 1]. Of the embedded encoder's similarities, within 50 m of each other
# against elsewhere, a logistic fit gives 0.05 of the span, but on a walk of one camera and hour, which is easy.
_TEMPERATURE = 0.1
_LEAST_SPAN = 1e-3  # of copies of one picture
# Similarities do not differ as much as beliefs do: at 1 the belief decides alone, and on invented towns (synthetic) it
# loses 21 points of recall@1 with a prior that has 61 % of the countries right; at 0.25 it loses nothing
# (docs/evidence/ablations.md).
_BELIEF_WEIGHT = 0.25
# A millionth of the belief, spread over the Earth's 5.1e8 km2: no belief is surer that the photo is not there.
_LEAST_LOG_DENSITY = float(np.log(1e-6 / 5.1e8))


def rerank(
    candidates: Sequence[Candidate],
    mode: Mode = "belief",
    *,
    point: LatLon | None = None,
    log_density: Callable[[Floats, Floats], Floats] | None = None,
    weight: float | None = None,
    k: int | None = None,
) -> tuple[Candidate, ...]:
    """Order candidates anew, each view by itself: similarities of different views cannot be compared.

    Retrieve more than are wanted (100 for 20), so that geography can bring in what looked less alike.

    Args:
        candidates: From `retrieve`, in any order.
        mode: See above.
        point: The prior's point, for `point`.
        log_density: (lats, lons) -> ln of the probability per km2, for `belief`.
        weight: Of the geography, in place of 0.2 for `point` and 0.25 for `belief`; 0 leaves the order by similarity.
        k: How many to return; None all.

    Raises:
        InputError: An unknown mode, or one without what it needs.
    """
    if not candidates:
        return ()
    similarity = np.array([c.similarity for c in candidates])
    lats, lons = np.array([c.lat for c in candidates]), np.array([c.lon for c in candidates])
    span = _spans(candidates, similarity)
    if mode == "none":
        scores = similarity
    elif mode == "point" and point is not None:
        near = np.exp(-distance_km(lats, lons, point.lat, point.lon) / _REACH_KM)
        scores = similarity + (_POINT_WEIGHT if weight is None else weight) * span * near
    elif mode == "belief" and log_density is not None:
        density = np.maximum(log_density(lats, lons), _LEAST_LOG_DENSITY)
        scores = similarity / (_TEMPERATURE * span) + (_BELIEF_WEIGHT if weight is None else weight) * density
    else:
        raise _refusal(mode)
    scored = [c.model_copy(update={"score": float(s)}) for c, s in zip(candidates, scores, strict=True)]
    return in_rank_order(scored, k)


def _spans(candidates: Sequence[Candidate], similarity: Floats) -> Floats:
    """1 - the median similarity of each candidate's view; shape (n,)."""
    views = np.array([c.view for c in candidates])
    medians = {view: float(np.median(similarity[views == view])) for view in set(views.tolist())}
    return np.maximum(1.0 - np.array([medians[view] for view in views.tolist()]), _LEAST_SPAN)


def _refusal(mode: str) -> InputError:
    needed = {"point": "the point of a prior", "belief": "a belief's log_density"}
    if mode in needed:
        return InputError(f"{needed[mode]} to rerank by {mode}", "none", "Give it, or rerank by another mode.")
    return InputError("a way of reranking", repr(mode), f"Use one of: {', '.join(get_args(Mode))}.")


def in_rank_order(candidates: Sequence[Candidate], k: int | None = None) -> tuple[Candidate, ...]:
    """Sort each view by score and merge the views by rank: the first of each view, then the second of each."""
    lists: dict[str, list[Candidate]] = {}
    for candidate in candidates:  # views keep the order in which they come; sorting is stable
        lists.setdefault(candidate.view, []).append(candidate)
    columns = (sorted(one, key=lambda c: -c.score) for one in lists.values())
    merged = [c for row in zip_longest(*columns) for c in row if c is not None][:k]
    return tuple(c.model_copy(update={"rank": rank}) for rank, c in enumerate(merged, start=1))
