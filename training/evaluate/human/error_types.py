"""How an answer errs, for people and agent alike.

    gave up             it says that the place cannot be told, whatever it would have guessed
    country wrong       its point lies in another country, or in none
    city wrong          the country is right, but neither is the named city the true one nor the point within 25 km
    right to the city   none of the three
    beyond 750 km       the point is farther away: another country as a rule, or the other end of a large one; who gave
                        up has no point

The first four are all photos whose country is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from geosleuth.training.evaluate.agent.measures import Bools, errors_km, judged
from geosleuth.training.evaluate.agent.scored import Scored
from geosleuth.training.evaluate.vlm.intervals import Statistic, share
from geosleuth.training.evaluate.vlm.prior_rows import same_city

CITY_KM, FAR_KM = 25.0, 750.0  # the field's city and country
GAVE_UP, COUNTRY, CITY, RIGHT = "gave up", "country wrong", "city wrong", "right to the city"
FAR = "beyond 750 km"


def error_types(rows: Sequence[Scored]) -> dict[str, Statistic]:
    """Name and share, in the order of the table."""
    known = judged(rows)
    kinds = np.array([error_type(row) for row in rows], dtype=object)
    found: dict[str, Statistic] = {
        name: share((kinds == name) & known, known) for name in (GAVE_UP, COUNTRY, CITY, RIGHT)
    }
    far = errors_km(rows) > FAR_KM
    found[FAR] = share(far & np.array([row.point is not None and not gave_up(row) for row in rows], dtype=bool))
    return found


def error_type(row: Scored) -> str:
    """Return which of the four a row is."""
    if gave_up(row):
        return GAVE_UP
    if not country_right(row):
        return COUNTRY
    return RIGHT if _city_right(row) else CITY


def gave_up(row: Scored) -> bool:
    """Whether the answer is that there is none."""
    return row.status == "not_locatable"


def country_right(row: Scored) -> bool:
    """Whether the answer's point lies in the true country."""
    return not gave_up(row) and row.point_country is not None and row.point_country == row.truth.country


def flags(rows: Sequence[Scored], holds: Callable[[Scored], bool]) -> Bools:
    """Return what holds of each row."""
    return np.array([holds(row) for row in rows], dtype=bool)


def _city_right(row: Scored) -> bool:
    near = row.error_km is not None and row.error_km <= CITY_KM
    return near or same_city(row.named_city, row.named_country, row.truth.city, row.truth.country)
