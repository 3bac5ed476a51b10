"""docs/evidence/retrieval.md: recall of every retriever beside chance, and what verification accepts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.geodesy import Floats
from geosleuth.training.evaluate.recall import KS, WITHIN_M, ratio_interval
from geosleuth.training.evaluate.retrieval import Places, Retriever, Verdicts, recall_rows

_TRUE_M = 15.0  # a pair this near shows one scene, if the cameras look the same way
_NEAR_M = 50.0
_APART_M = 1000.0  # farther than this it is another place


def retrieval_report(
    stamp: str, galleries: Sequence[tuple[str, Places, Sequence[Retriever]]], verdicts: Verdicts
) -> str:
    """Make the page.

    Args:
        stamp: Data, date and commit.
        galleries: Each one's name in words, its photos, and what searches it; the last one has all distractors.
        verdicts: Of all pairs of queries, and of those with distractors that `pairs_to_verify` names.
    """
    parts = [f"{stamp}\n", _HOW, f"## Verification\n\n{_verification(galleries[-1][1], verdicts)}"]
    header = [f"R@{k} {within} m" for k in KS for within in WITHIN_M]
    for name, places, retrievers in galleries:
        title = f"## Recall: {name}, {len(places.photos) - 1} references for each of {places.queries} queries"
        parts.append(f"{title}\n\n{_table(['retriever', 'order', *header], recall_rows(places, retrievers, verdicts))}")
    return "\n".join(parts)


_HOW = """Each photo in turn is the query, and left out of the gallery. `R@k d m`: share of queries with a reference
within d metres among the first k; in brackets the 95 % bootstrap interval over queries. The queries are one walk and a
street corner, so they are no independent witnesses, and the truth is less sure than the brackets say. NetVLAD and
DenseVLAD are fitted on the gallery, as users fit them: the queries' pictures are in the fit, their positions play no
part.

- *verified first*: the 20 most similar by SIFT and MAGSAC++; accepted ones first, by their inliers.
- *pairwise, best three*: the best three of those 20 by comparisons of inliers; ties keep the order of retrieval.
- *reranked by a point*, *by a belief*: as tools/reranking.py has it, by a simulated prior: *right* is a point 25 km
  off, *wrong* the place of another photo of the gallery more than 100 km away (where there is one); the belief is a
  Gaussian of 25 km around that point, with a tenth spread over the Earth.
"""


def _verification(places: Places, verdicts: Verdicts) -> str:
    """Shares of accepted pairs, over queries and over the pairs that were verified."""
    asked = np.array([pair for pair in sorted(verdicts) if pair[1] < len(places.photos)]).reshape(-1, 2)
    query, photo = asked.T
    accepted = np.array([verdicts[a, b][0] for a, b in asked.tolist()], dtype=bool)
    metres = places.metres[query, photo]

    def per_query(chosen: NDArray[np.bool_]) -> Floats:
        return np.bincount(query[chosen], minlength=places.queries).astype(np.float64)

    near, apart = metres <= _NEAR_M, metres > _APART_M
    true, of_true = (np.minimum(per_query(m), 1.0) for m in (metres <= _TRUE_M, (metres <= _TRUE_M) & accepted))
    rows = [
        ["queries with an accepted reference within 15 m", _ratio(of_true, true), "80 % or more"],
        [
            "accepted pairs that lie within 50 m",
            _ratio(per_query(accepted & near), per_query(accepted)),
            "98 % or more",
        ],
        ["pairs of different places, accepted", _ratio(per_query(apart & accepted), per_query(apart)), ""],
    ]
    for low, high in ((0.0, 15.0), (15.0, 25.0), (25.0, 50.0), (50.0, _APART_M)):
        band = (metres > low if low else metres >= 0) & (metres <= high)
        rows.append(
            [
                f"pairs {low:.0f} to {high:.0f} m apart, accepted",
                _ratio(per_query(band & accepted), per_query(band)),
                "",
            ]
        )
    return _table(["figure", "measured", "target"], rows)


def _ratio(top: Floats, bottom: Floats) -> str:
    if not bottom.sum():
        return "-"
    low, high = ratio_interval(top, bottom)
    share = f"{100 * top.sum() / bottom.sum():.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{int(top.sum()):,} of {int(bottom.sum()):,}: {share}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
