"""A draw of photos that keeps the countries' proportions, whatever the order of the list."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence

from geosleuth.training.evaluate.labelled import LabelledPhoto


def spread(photos: Sequence[LabelledPhoto], seed: int) -> list[int]:
    """Order photos so that each beginning of the order holds countries as the whole does.

    The k-th photo of a country of n comes at (k - 1/2) / n: the order in which seats go to parties by Sainte-Lague's
    method, so that a longer draw holds every shorter one. Within a country the order is by a hash of the seed and the
    photo's name: the same photos are drawn wherever the set lies, and one that is missing changes little.

    Returns:
        Indices of the photos.
    """
    keys = [hashlib.sha256(os.fsencode(f"{seed}:{photo.path.name}")).digest() for photo in photos]
    of_country: defaultdict[str, list[int]] = defaultdict(list)
    for i, photo in enumerate(photos):
        of_country[photo.country].append(i)
    at = [0.0] * len(photos)
    for members in of_country.values():
        for rank, i in enumerate(sorted(members, key=keys.__getitem__)):
            at[i] = (rank + 0.5) / len(members)
    return sorted(range(len(photos)), key=lambda i: (at[i], keys[i]))
