"""Match two pictures: which of their points show the same things, and whether one scene explains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.hub import cached_first
from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.candidate import Verdict
from geosleuth.tools.local_features import Pairs, local_features, pair_up
from geosleuth.tools.two_view import TwoView, two_view

MOST_SHOWN = 100  # point pairs of a `Verification`; a drawing with more is a carpet


class Matcher(Protocol):
    """Finds point pairs; the geometry that judges them is the same for all matchers."""

    @property
    def name(self) -> str:
        """Name and version or weights, as `Verification.matcher` shows it."""

    def prepare(self, pixels: Pixels) -> Any:
        """Do once what is the same for every partner of a picture; for other threads to use as well."""

    def pairs(self, query: Any, reference: Any) -> Pairs:
        """Pair the points of two prepared pictures, the surest first."""


@dataclass(frozen=True)
class SiftMatcher:
    """SIFT with RootSIFT descriptors, mutual nearest neighbours and the ratio test."""

    name: str = "embedded: SIFT with MAGSAC++"
    prepare: Callable[[Pixels], Any] = local_features
    pairs: Callable[[Any, Any], Pairs] = pair_up


@dataclass(frozen=True, eq=False)
class Matches:
    """Point pairs of two pictures, judged."""

    pairs: Pairs
    geometry: TwoView

    @property
    def verdict(self) -> Verdict:
        """Whether both show one scene."""
        return "match" if self.geometry.agrees else "no_match"

    @property
    def inliers(self) -> int:
        """Pairs that agree with one change of viewpoint."""
        return int(self.geometry.inliers.sum())

    def points(self) -> tuple[tuple[float, float, float, float], ...]:
        """The surest of the agreeing pairs: (x, y) in the query and (x, y) in the reference, full pixels."""
        chosen = self.geometry.inliers.nonzero()[0][:MOST_SHOWN]
        rows = zip(self.pairs.query[chosen].tolist(), self.pairs.reference[chosen].tolist(), strict=True)
        return tuple((round(a, 1), round(b, 1), round(c, 1), round(d, 1)) for (a, b), (c, d) in rows)


@lru_cache(maxsize=4)
def load_matcher(spec: str = "embedded") -> Matcher:
    """Load the matcher that a spec string names: embedded, hf:ORG/NAME[@REV] or dir:PATH.

    Raises:
        InputError: The spec is none, its libraries are not installed, or the weights are no matcher's.
    """
    backend = parse_backend(spec, role="matching")
    if backend.base == "embedded":
        return SiftMatcher()
    from geosleuth.tools.learned_matching import load_learned_matcher

    return cached_first(lambda: load_learned_matcher(backend))


def match_pictures(query: Pixels, reference: Pixels, *, matcher: str = "embedded") -> Matches:
    """Match two pictures; to match one with many, use `match_prepared` with the query prepared once."""
    loaded = load_matcher(matcher)
    return match_prepared(loaded, loaded.prepare(query), loaded.prepare(reference))


def match_prepared(matcher: Matcher, query: Any, reference: Any) -> Matches:
    """Match two pictures that `matcher.prepare` has been given."""
    pairs = matcher.pairs(query, reference)
    return Matches(pairs, two_view(pairs))
