"""What a query is searched in and judged by, and one look at a query: nothing is decoded, found or verified twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import Floats, LatLon, distance_km
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.regions import countries_at
from geosleuth.tools.comparison_prompts import Strategy
from geosleuth.tools.retrieval import Retrieval, retrieve
from geosleuth.tools.submap_cells import GalleryCells, fit_cells
from geosleuth.tools.verification import verify
from geosleuth.training.evaluate.ablations.gallery_content import Spots, references_by_country, spots
from geosleuth.training.evaluate.ablations.prior import Opinion, PriorSource, opinion_of
from geosleuth.training.evaluate.ablations.query import Query, counts_at, right_ids
from geosleuth.training.evaluate.rerank import WITHIN_M

if TYPE_CHECKING:
    from geosleuth.indexes.encoders.encoder import Encoder, Vectors
    from geosleuth.indexes.gallery.gallery import Gallery
    from geosleuth.indexes.gallery.reference import View
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.candidate import Candidate, Verification
    from geosleuth.tools.submap import Submap
    from geosleuth.tools.vlm.load import SharedModel

DEPTH = 100  # candidates that geography reorders, as in the agent
VERIFIED = 20  # candidates that verification looks at: the default of tools/verification.py
_MOST_GROUND = 5000  # references that stand for where the gallery has any
_SPHERE = 1.01  # a distance on the sphere is at most 0.6 % off the ellipsoid's: what may be near is measured again
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)


def strategies_named(text: str | None) -> tuple[Strategy, ...]:
    """Read "yes_no,pairwise"; all of them where nothing is named.

    Raises:
        InputError: One is none.
    """
    if text is None:
        return STRATEGIES
    named = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(named - set(STRATEGIES))
    if unknown or not named:
        found = ", ".join(map(repr, unknown)) or "none"
        raise InputError("strategies of a judge", found, f"Use some of: {', '.join(STRATEGIES)}.")
    return tuple(one for one in STRATEGIES if one in named)


@dataclass(frozen=True, eq=False)
class Setup:
    """One gallery with its encoder, a prior, and what judges candidates."""

    gallery: Gallery
    encoder: Encoder
    prior: PriorSource | None = None
    matcher: str = "embedded"
    judge: SharedModel | None = None  # a vision-language model; None leaves its arms out
    strategies: tuple[Strategy, ...] = STRATEGIES
    within_m: float = WITHIN_M  # a reference this near is right
    buffer_km: float = 50.0  # of the arms that widen borders: the agent's
    seed: int = 0  # of priors that are drawn

    @cached_property
    def positions(self) -> tuple[Floats, Floats]:
        """(lats, lons) of the references."""
        return self.gallery.positions()

    @cached_property
    def ground(self) -> list[tuple[LatLon, str]]:
        """Positions of at most some thousand references, and their countries; those at sea are left out."""
        lats, lons = self.positions
        rows = np.random.default_rng(0).permutation(len(lats))[:_MOST_GROUND]
        codes = countries_at(lats[rows], lons[rows])
        rows_and_codes = zip(lats[rows], lons[rows], codes, strict=True)
        return [(LatLon(float(lat), float(lon)), str(code)) for lat, lon, code in rows_and_codes if code]

    @cached_property
    def by_country(self) -> dict[str, int]:
        """How many references of each country the gallery has, of all of them."""
        return references_by_country(self.gallery)

    @property
    def countries(self) -> tuple[str, ...]:
        """Countries of the gallery."""
        return tuple(self.by_country)

    @cached_property
    def _spots(self) -> Spots:
        return spots(self.gallery)

    @cached_property
    def _cells(self) -> dict[int, GalleryCells]:
        return {}

    def cells(self, k: int) -> GalleryCells:
        """K-means cells of the gallery's positions, fitted once."""
        if k not in self._cells:
            self._cells[k] = fit_cells(*self.positions, k=k)
        return self._cells[k]

    def near(self, position: LatLon) -> tuple[Floats, Floats]:
        """(lats, lons) of the references that count as right, by the rule that candidates are judged by."""
        lats, lons, halves = self._spots.lats, self._spots.lons, self._spots.half_extents_m
        away_m = 1000.0 * distance_km(lats, lons, position.lat, position.lon)
        perhaps = np.flatnonzero(away_m <= _SPHERE * np.maximum(self.within_m, halves))
        near = [
            row
            for row in perhaps.tolist()
            if counts_at(LatLon(float(lats[row]), float(lons[row])), float(halves[row]), position, self.within_m)
        ]
        return lats[near], lons[near]

    @property
    def facts(self) -> dict[str, str]:
        """What decides the figures, for reports and for telling runs apart."""
        return {
            "gallery": f"{len(self.gallery):,} references",
            "encoder": f"{self.encoder.spec}, weights {self.encoder.weights_sha256[:12]}",
            "matcher": self.matcher,
            "prior": self.prior.name if self.prior else "none",
            "judge": self.judge.weights if self.judge else "none",
            "a right reference lies within": f"{self.within_m:g} m",
            "buffer": f"{self.buffer_km:g} km",
            "seed": str(self.seed),
        }


class Look:
    """One query under a setup."""

    def __init__(self, setup: Setup, query: Query) -> None:
        """Open the photo.

        Raises:
            InputError: It cannot be read.
        """
        self.setup, self.query = setup, query
        self.photo: Photo = open_photo(query.path)
        self._encoder = _OfOnePhoto(setup.encoder)
        self._verdicts: dict[str, Verification | None] = {}

    def search(self, submap: Submap | None = None, *, k: int = DEPTH) -> Retrieval:
        """Retrieve; the photo itself is never found."""
        return retrieve(
            self.photo, self.setup.gallery, self._encoder, submap=submap, k=k, exclude_sha256=[self.photo.sha256]
        )

    @cached_property
    def found(self) -> tuple[Candidate, ...]:
        """Candidates of the whole gallery, by similarity."""
        return self.search().candidates

    @cached_property
    def opinion(self) -> Opinion:
        """What is believed after the prior; without any, where photos are taken."""
        return opinion_of(self.setup.prior.predict(self.query) if self.setup.prior else None)

    @cached_property
    def known_near(self) -> bool:
        """Whether the gallery has a right reference at all."""
        return bool(len(self.setup.near(self.query.position)[0]))

    def verified(self, candidates: Sequence[Candidate], top: int = VERIFIED) -> tuple[Candidate, ...]:
        """The first candidates with their verdicts, those behind as they came."""
        new = [one for one in candidates[:top] if one.reference_id not in self._verdicts]
        if new:
            checked = verify(self.photo, new, self.setup.gallery, matcher=self.setup.matcher, top=len(new))
            self._verdicts.update({one.reference_id: one.verification for one in checked.candidates})
        front = (one.model_copy(update={"verification": self._verdicts[one.reference_id]}) for one in candidates[:top])
        return (*front, *candidates[top:])

    def right(self, candidates: Sequence[Candidate]) -> frozenset[str]:
        """Ids of the candidates that count as found."""
        return right_ids(candidates, self.query.position, self.setup.within_m)


class _OfOnePhoto:
    """An encoder that a photo is given to once, however often it is searched."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vector: Vectors | None = None
        self.spec, self.weights_sha256 = encoder.spec, encoder.weights_sha256
        self.dimension, self.input_side_px = encoder.dimension, encoder.input_side_px

    def prepare(self, pixels: Pixels, view: View = "ground") -> NDArray[Any]:
        return self._encoder.prepare(pixels, view) if self._vector is None else pixels

    def encode(self, prepared: Sequence[NDArray[Any]]) -> Vectors:
        if self._vector is None:
            self._vector = self._encoder.encode(prepared)
        return self._vector
