"""What an area leaves of a collection: the filter, and the references along its edge asked where they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from geosleuth.indexes.gallery.gallery import Area, Hit
from geosleuth.indexes.gallery.milvus_collection import count_rows, fetch_positions
from geosleuth.indexes.gallery.milvus_connection import MilvusLocation
from geosleuth.indexes.gallery.milvus_filter import AreaFilter, all_of, views_filter
from geosleuth.indexes.gallery.reference import View

# Rows along the edge whose places are fetched. Where there are more, the share inside is estimated on so many: its
# standard error is at most 0.5 / sqrt(200,000) = 0.1 %.
_MOST_EDGE_ROWS = 200_000


class AreaRows:
    """What an area and some views leave of a collection."""

    def __init__(self, area: Area, views: tuple[View, ...] | None, of_area: AreaFilter) -> None:
        self.area, self.views, self.filter = area, views, of_area
        self.view = views_filter(views)
        self.count = 0
        self.edge_ids: list[str] = []  # of the rows along the edge those that lie inside
        self.edge_is_known = True

    def count_in(self, client: Any, location: MilvusLocation) -> None:
        """Count the rows inside, and ask the area about those along its edge."""
        if self.filter.everything:
            self.count = count_rows(client, location, self.view)
            return
        if self.filter.inside:
            self.count = count_rows(client, location, all_of([self.view, self.filter.inside]))
        if not self.filter.edge:
            return
        expression = all_of([self.view, self.filter.edge])
        total = count_rows(client, location, expression)
        ids, lats, lons = fetch_positions(client, location, expression, _MOST_EDGE_ROWS)
        if not ids:
            return
        inside = np.asarray(self.area.contains(lats, lons), dtype=bool)
        self.edge_ids = [ids[i] for i in np.flatnonzero(inside)]
        self.edge_is_known = len(ids) >= total
        self.count += round(total * float(inside.mean()))

    @property
    def expression(self) -> str:
        """All rows that may be in the area."""
        return self.view if self.filter.everything else all_of([self.view, self.filter.either])

    def most(self, k: int) -> int:
        """How many of k hits there can be."""
        return min(k, self.count) if self.edge_is_known else k

    def inside(self, hits: list[Hit]) -> list[Hit]:
        """Those of its countries, and those whose place lies in it."""
        if not hits or self.filter.everything:
            return hits
        places = [(hit.reference.lat, hit.reference.lon) for hit in hits]
        held = self.area.contains(*np.array(places, dtype=np.float64).T)
        return [h for h, there in zip(hits, held, strict=True) if there or h.reference.country in self.area.countries]
