"""The one belief about where the photo was taken.

It starts from where photos are taken (`indexes/grid`), adds the log-likelihoods of all evidence, and normalises. The
order of evidence does not matter: a new piece makes the belief anew from all pieces, and cells are split on the total.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from geosleuth.agent.calibration import Calibration, load_calibration
from geosleuth.agent.credible import Region, by_density, credible_weights, outline
from geosleuth.agent.leaves import Leaves
from geosleuth.agent.log_likelihood import Bumps, RegionTable, laid_out
from geosleuth.agent.peak import peak_in_country
from geosleuth.agent.refine import SHARPEST, refine, sharp_places
from geosleuth.indexes.cells import cells_at, parents, resolutions
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gazetteer import Place
from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats, LatLon, chord_of_km, unit_vectors
from geosleuth.indexes.grid import Grid, load_grid
from geosleuth.tools.captions import CAPTION
from geosleuth.tools.evidence import Evidence, Nothing

_CITY_KM = 25.0  # "the city" of the field's accuracy@25km
_REPORTED_SHARE = 0.5  # the radius and the contributions are about the region that holds half of the belief


@lru_cache(maxsize=1)
def _base() -> tuple[Grid, Leaves]:
    grid = load_grid()
    return grid, Leaves.of(grid)


class Belief:
    """A probability over the Earth's land and coast, with the evidence that made it.

    Use `Belief.start()` and `update`; a belief never changes.
    """

    def __init__(self, evidence: tuple[Evidence, ...], calibration: Calibration) -> None:
        self.evidence = evidence
        self.calibration = calibration
        self._grid, base = _base()
        self._on_grid = self._likelihoods(base)
        self._weight = self._discounts()
        self._leaves, self._terms = refine(base, self._on_grid, self._weight, self._likelihoods, sharp_places(evidence))
        self._log_mass = self._normalised(self._leaves.log_prior + self._weight @ self._terms)
        self.mass: Floats = np.exp(self._log_mass)

    @classmethod
    def start(cls, calibration: Calibration | None = None) -> Belief:
        """Where photos are taken, before this one is looked at."""
        return cls((), calibration or load_calibration())

    def update(self, evidence: Iterable[Evidence]) -> Belief:
        """This belief and more evidence, in any order."""
        more = tuple(evidence)
        return Belief(self.evidence + more, self.calibration) if more else self

    # -- combining ----------------------------------------------------------------------------------------------

    @cached_property
    def _spoken(self) -> list[int]:
        """Indexes of the evidence that says something; arrays have one row for each of these."""
        return [i for i, piece in enumerate(self.evidence) if not isinstance(piece.likelihood, Nothing)]

    @cached_property
    def _laid_out(self) -> list[RegionTable | Bumps]:
        likelihoods = (self.calibration.counted(self.evidence[i]).likelihood for i in self._spoken)
        return [laid_out(one, self._grid) for one in likelihoods if not isinstance(one, Nothing)]

    @cached_property
    def _temperatures(self) -> list[float]:
        return [self.calibration.temperature(self.evidence[i]) for i in self._spoken]

    def _likelihoods(self, leaves: Leaves) -> Floats:
        """(rows, n) log-likelihoods with their temperatures."""
        terms = np.empty((len(self._spoken), len(leaves)))
        for row, (piece, temperature) in enumerate(zip(self._laid_out, self._temperatures, strict=True)):
            np.multiply(piece.on(leaves), temperature, out=terms[row])
        return terms

    @cached_property
    def _groups(self) -> list[list[int]]:
        """Rows that share a source; a piece without a group stands alone."""
        groups: dict[str, list[int]] = defaultdict(list)
        for row, i in enumerate(self._spoken):
            groups[self.calibration.source_of(self.evidence[i]) or f"\0{i}"].append(row)
        return list(groups.values())

    @cached_property
    def _identities(self) -> list[str]:
        """What a piece says, whenever it was found: breaks ties in a group, so that order does not matter."""
        return [self.evidence[i].model_dump_json(exclude={"seconds"}) for i in self._spoken]

    @cached_property
    def _spans(self) -> list[float]:
        """Strength of each row: the span of its log-likelihood over the grid, whatever is split later."""
        return [round(float(np.ptp(term)), 9) for term in self._on_grid]

    def _discounts(self, without: int | None = None) -> Floats:
        """How much each row counts: within a group the r-th strongest counts (1 - correlation)^r; of captions, one."""
        weight = np.zeros(len(self._spoken))
        for rows in self._groups:
            captions = self.evidence[self._spoken[rows[0]]].type == CAPTION  # one witness, whatever was fitted
            again = 0.0 if captions else 1.0 - self.calibration.correlation
            standing = [row for row in rows if row != without]
            if len(standing) > 1:
                standing.sort(key=lambda row: (-self._spans[row], self._identities[row]))
            for rank, row in enumerate(standing):
                weight[row] = again**rank
        return weight

    @staticmethod
    def _normalised(log_mass: Floats) -> Floats:
        top = log_mass.max()
        return np.asarray(log_mass - top - np.log(np.exp(log_mass - top).sum()))

    # -- answers ------------------------------------------------------------------------------------------------

    def country_probabilities(self) -> dict[str, float]:
        """Probability of each country (ISO 3166-1 alpha-2), the likeliest first; open water is left out."""
        of_code = np.bincount(self._leaves.country, weights=self.mass, minlength=len(self._grid.codes))
        order = np.argsort(-of_code, kind="stable")
        return {self._grid.codes[i]: float(of_code[i]) for i in order if self._grid.codes[i]}

    @cached_property
    def _top_country(self) -> int:
        """Index of the likeliest country; open water counts as one, so that a ship's position stays at sea."""
        return int(np.argmax(np.bincount(self._leaves.country, weights=self.mass, minlength=len(self._grid.codes))))

    def point(self) -> LatLon:
        """The point of the likeliest country that is right at most of the field's distances, in expectation."""
        return self._point

    @cached_property
    def _point(self) -> LatLon:
        in_country = np.flatnonzero(self._leaves.country == self._top_country)
        return peak_in_country(self._leaves.vectors, self.mass, in_country, self._grid.codes[self._top_country])

    def mass_within(self, position: LatLon, km: float) -> float:
        """Probability that the photo was taken within `km` of a position (by cells' centres)."""
        chord2 = ((self._leaves.vectors - unit_vectors(*position)) ** 2).sum(axis=1)
        return float(self.mass[chord2 <= chord_of_km(km) ** 2].sum())

    def radius_km(self, position: LatLon | None = None, share: float = _REPORTED_SHARE) -> float:
        """Radius of the circle around the point that holds `share` of the belief."""
        offset = self._leaves.vectors - unit_vectors(*(position or self.point()))
        chord = np.sqrt(np.einsum("nd,nd->n", offset, offset))
        ring = (chord * 1024).astype(np.intp)  # 6 km wide: finds the ring first, and sorts only that
        reached = np.cumsum(np.bincount(ring, weights=self.mass))
        at = min(int(np.searchsorted(reached, share)), len(reached) - 1)
        rows = np.flatnonzero(ring == at)
        rows = rows[np.argsort(chord[rows], kind="stable")]
        before = reached[at - 1] if at else 0.0
        row = rows[min(int(np.searchsorted(before + np.cumsum(self.mass[rows]), share)), len(rows) - 1)]
        cell_km = float(np.sqrt(self._leaves.area_km2[row] / np.pi))
        return max(float(2 * EARTH_RADIUS_KM * np.arcsin(min(chord[row] / 2, 1.0))), cell_km)

    def city(self) -> tuple[Place, float] | None:
        """The city that a person would name for the point, and the probability of being within 25 km of it.

        None where the point lies in no city's reach.
        """
        from geosleuth.indexes.gazetteer import load_gazetteer

        place, distance = load_gazetteer().city_of(*self.point())
        if distance > _CITY_KM:
            return None
        return place, self.mass_within(LatLon(place.lat, place.lon), _CITY_KM)

    def region(self, share: float) -> Region:
        """The smallest region that holds `share` of the belief."""
        held = self._held(share)
        return Region(share, float((held * self._leaves.area_km2).sum()), outline(self._leaves.cells[held > 0]))

    def _held(self, share: float) -> Floats:
        """Part of each cell that belongs to the smallest region holding `share`."""
        return credible_weights(self.mass, self._density_order, share)

    @cached_property
    def _density_order(self) -> NDArray[np.intp]:
        return by_density(self.mass, self._leaves.area_km2)

    def credible_area_km2(self, share: float) -> float:
        """Area of the smallest region that holds `share`, without drawing it."""
        return float((self._held(share) * self._leaves.area_km2).sum())

    def log_threshold(self, share: float) -> float:
        """Ln of the lowest density inside the smallest region that holds `share`; compare with `log_density`."""
        log_density = self._log_mass - np.log(self._leaves.area_km2)
        return float(log_density[self._held(share) > 0].min())

    def entropy_bits(self) -> float:
        """log2 of the belief's effective area in km2: 27 for anywhere on land, 0 for one known km2."""
        held = self.mass > 0
        return float(-(self.mass[held] * np.log2(self.mass[held] / self._leaves.area_km2[held])).sum())

    def contributions(self) -> list[float]:
        """Bits that each piece of evidence adds to the answer: log2 P(answer) with it over the same without it.

        The answer is the smallest region of the likeliest country that holds half of the belief in it: not the 50 %
        region, which may lie in several countries where clues contradict. Below zero a piece speaks against the answer.
        """
        of_answer = np.where(self._leaves.country == self._top_country, self.mass, 0.0)
        inside = of_answer * credible_weights(of_answer, self._density_order, _REPORTED_SHARE)
        codes = len(self._grid.codes)
        inside_of, mass_of = (
            np.asarray(np.bincount(self._leaves.country, weights=m, minlength=codes), dtype=np.float64)
            for m in (inside, self.mass)
        )
        out = [0.0] * len(self.evidence)
        for row, i in enumerate(self._spoken):
            lost = self._discounts(without=row) - self._weight
            changed = np.flatnonzero(lost).tolist()
            if not changed:  # it counts nothing beside another caption
                continue
            tables = [self._laid_out[k] for k in changed]
            of_country = [
                table.by_country for table in tables if isinstance(table, RegionTable) and table.by_division is None
            ]
            if len(of_country) == len(changed):  # constant inside each country: a sum over countries, not over cells
                scale = [lost[k] * self._temperatures[k] for k in changed]
                out[i] = self._bits_lost(np.array(scale) @ np.array(of_country), inside_of, mass_of)
            else:
                out[i] = self._bits_lost(lost[changed] @ self._terms[changed], inside, self.mass)
        return out

    def contrast(self, code: str, other: str) -> list[float]:
        """Bits by which each piece of evidence favours one country over another; below 0 it favours the other.

        log2 of the odds of the first country with the piece over those without it, the discounts of its group made
        anew. Of pieces in groups of their own that are constant inside countries, the bits and the start's odds add up
        to the odds now.

        Raises:
            InputError: The map has no such country.
        """
        rows = [self._rows_of(each) for each in (code, other)]
        now = self._log_odds(rows, self._log_mass)
        out = [0.0] * len(self.evidence)
        for row, i in enumerate(self._spoken):
            lost = self._discounts(without=row) - self._weight
            changed = np.flatnonzero(lost)
            without = self._log_mass + lost[changed] @ self._terms[changed]
            out[i] = (now - self._log_odds(rows, without)) / float(np.log(2.0))
        return out

    def _rows_of(self, code: str) -> NDArray[np.intp]:
        codes = list(self._grid.codes)
        if not code or code not in codes:
            raise InputError("a country of the map", repr(code), "Name it by its ISO 3166-1 code, such as PT.")
        return np.flatnonzero(self._leaves.country == codes.index(code))

    @staticmethod
    def _log_odds(rows: Sequence[NDArray[np.intp]], log_mass: Floats) -> float:
        """Ln of the mass of the first rows over that of the second; by way of each one's top, which may be tiny."""
        tops = [float(log_mass[each].max()) for each in rows]
        one, other = (
            top + float(np.log(np.exp(log_mass[each] - top).sum())) for top, each in zip(tops, rows, strict=True)
        )
        return one - other

    @staticmethod
    def _bits_lost(shift: Floats, inside: Floats, mass: Floats) -> float:
        """log2 of the answer's share now over its share after the log masses move by `shift`."""
        factor = np.exp(shift - shift.max())
        before = (inside @ factor) / (mass @ factor)
        return float(np.log2(inside.sum() / mass.sum()) - np.log2(max(before, 1e-30)))

    def log_density(self, lats: Floats, lons: Floats) -> Floats:
        """Ln of the probability per km2 in the cell that holds each position; -inf off the grid."""
        finest = cells_at(np.atleast_1d(lats), np.atleast_1d(lons), SHARPEST)
        out = np.full(len(finest), -np.inf)
        order = np.argsort(self._leaves.cells)
        sorted_cells = self._leaves.cells[order]
        density = (self._log_mass - np.log(self._leaves.area_km2))[order]
        for resolution in np.unique(resolutions(self._leaves.cells)):
            # By way of the finest cell: a hexagon's children reach a little out of it, so that the coarse cell that
            # holds a position need not be the ancestor of the fine one that does.
            wanted = parents(finest, int(resolution))
            at = np.minimum(np.searchsorted(sorted_cells, wanted), len(sorted_cells) - 1)
            out = np.where(sorted_cells[at] == wanted, density[at], out)
        return out
