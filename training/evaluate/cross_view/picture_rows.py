"""Errors to look at: a query, its true reference, and the wrong ones that an encoder found more similar."""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from html import escape
from math import isfinite
from pathlib import PurePath

import numpy as np

from geosleuth.agent.printable import printable
from geosleuth.agent.report.pictures import jpeg_of
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.photo_file import DAMAGED
from geosleuth.training.datasets.cross_view import Pictures
from geosleuth.training.evaluate.cross_view.evaluate import Evaluation
from geosleuth.training.evaluate.cross_view.ranks import Ints

logger = logging.getLogger(__name__)

_ROWS = 6  # of each kind: a screen or two
_WRONG = 3  # references in a row
_PX = 360  # longest side of a picture: a panorama is shown 17 rem wide


def worst(evaluation: Evaluation) -> Ints:
    """The errors with the highest ranks."""
    errors = _errors(evaluation)
    return errors[np.argsort(-evaluation.ranks.ranks[errors], kind="stable")][:_ROWS]


def drawn(evaluation: Evaluation, seed: int = 0) -> Ints:
    """Errors drawn by chance, in the order of the data set."""
    errors = _errors(evaluation)
    return np.sort(np.random.default_rng(seed).permutation(errors)[:_ROWS])


def _errors(evaluation: Evaluation) -> Ints:
    return np.flatnonzero(evaluation.ranks.found & (evaluation.ranks.ranks > 0))


def picture_rows(evaluation: Evaluation, queries: Sequence[int] | Ints) -> str:
    """Write a row of pictures as HTML for each query."""
    return "\n".join(_row(evaluation, int(query)) for query in queries)


def _row(evaluation: Evaluation, query: int) -> str:
    data, ranks = evaluation.data, evaluation.ranks
    true = int(ranks.true[query])
    place = _position(data.queries, query) or _position(data.references, true)
    semi = set() if data.semi_positives is None else set(data.semi_positives[query].tolist())
    kind = data.queries.modalities[data.queries.modality[query]].name
    figures = [
        figure_html(data.queries.paths[query], f"query: {kind}", "asked"),
        figure_html(
            data.references.paths[true],
            f"true reference: place {ranks.ranks[query] + 1:,} of {ranks.searched:,}, "
            f"similarity {ranks.true_similarity[query]:.3f}",
            "right",
        ),
    ]
    # Whatever is above the best true one is wrong; places without a reference hold NaN.
    before = ranks.nearest[query][ranks.nearest_similarity[query] > ranks.true_similarity[query]]
    for at, row in enumerate(before[:_WRONG].tolist()):
        parts = [f"number {at + 1}, similarity {ranks.nearest_similarity[query, at]:.3f}"]
        there = _position(data.references, row)
        parts += [_away(geodesic_km(place, there))] if place and there else []
        parts += ["semi-positive"] if row in semi else []
        figures.append(figure_html(data.references.paths[row], ", ".join(parts), "wrong"))
    return '<div class="row">\n' + "\n".join(figures) + "\n</div>"


def _away(km: float) -> str:
    return f"{1000 * km:,.0f} m away" if km < 10 else f"{km:,.0f} km away"


def _position(pictures: Pictures, row: int) -> LatLon | None:
    lat, lon = pictures.positions[row].tolist()
    return LatLon(lat, lon) if isfinite(lat) and isfinite(lon) else None


def figure_html(path: str, caption: str, look: str) -> str:
    """Write a picture in small, with its caption and name, as part of a page."""
    name = printable("/".join(PurePath(path).parts[-2:]))
    words = f"{escape(caption)}<br><small><bdi>{escape(name)}</bdi></small>"
    try:
        jpeg, (width, height) = jpeg_of(open_photo(path).pixels_at(_PX), _PX)
    except (InputError, *DAMAGED) as error:
        logger.info("%s is not shown: %s", path, error)
        image = '<p class="missing">This picture cannot be read.</p>'
    else:
        source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
        image = f'<img src="{source}" width="{width}" height="{height}" alt="{escape(caption)}">'
    return f'<figure class="{look}">{image}<figcaption>{words}</figcaption></figure>'
