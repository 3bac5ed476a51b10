"""What answers are worth: the field's metrics, with bootstrap intervals.

Distances are geodesic. Street-dev's positions may be off by 500 m, so nothing is scored below 1 km. An unanswered photo
counts as wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geosleuth.indexes.geodesy import LatLon, geodesic_km

THRESHOLDS_KM = (25, 200, 750, 2500)


@dataclass(frozen=True)
class Answer:
    """The figures of one photo."""

    localized: bool
    country: str | None  # of the predicted point; None where unanswered
    ranked: tuple[str, ...]  # countries by falling probability, the belief's whatever the status
    truth: str
    error_km: float  # of the belief's point, whatever the status
    in_50: bool
    in_90: bool
    area_90_km2: float
    probability: float  # of the likeliest country
    gained: float  # bits that the evidence told about the country, as the answer's rule counts them
    country_bits: float  # log2 P(true country) minus that of the plain population prior
    start_bits: float  # the same against the belief's own start
    density_bits: float  # log2 of the density at the true position, against the belief's own start


def error_km(point: LatLon, truth: LatLon) -> float:
    """Geodesic error in km."""
    return geodesic_km(point, truth)


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean over photos (2,000 resamples, percentile)."""
    data = np.asarray(values, dtype=np.float64)
    if not len(data):
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    samples = data[rng.integers(0, len(data), (2000, len(data)))].mean(axis=1)
    low, high = np.percentile(samples, [2.5, 97.5])
    return float(low), float(high)


def table(answers: Sequence[Answer], title: str) -> dict[str, str]:
    """One column of the table: figure by name, each with its interval where that says something."""
    answered = [a for a in answers if a.localized]
    right = [a.country == a.truth for a in answered]
    errors = np.array([a.error_km for a in answers])

    def share(values: Sequence[bool]) -> str:
        if not values:
            return "-"
        low, high = interval([float(v) for v in values])
        return f"{100 * np.mean(values):.1f} % [{100 * low:.1f}, {100 * high:.1f}]"

    def bits(values: Sequence[float]) -> str:
        low, high = interval(values)
        return f"{np.mean(values):+.3f} [{low:+.3f}, {high:+.3f}]"

    return {
        "": title,
        "photos": str(len(answers)),
        "answered `localized`": f"{len(answered)} ({share([a.localized for a in answers])})",
        "country right, of those": f"{sum(right)} ({share(right)})",
        "country right, all photos, unanswered wrong": share([a.localized and a.country == a.truth for a in answers]),
        "country top-1 of the belief": share([a.ranked[:1] == (a.truth,) for a in answers]),
        "country top-5 of the belief": share([a.truth in a.ranked[:5] for a in answers]),
        "median km of the belief's point": f"{np.median(errors):.0f}",
        "median km, of the localized": f"{np.median([a.error_km for a in answered]):.0f}" if answered else "-",
        **{f"accuracy@{km}km": share((errors <= km).tolist()) for km in THRESHOLDS_KM},
        "in the 50 % region": share([a.in_50 for a in answers]),
        "in the 90 % region": share([a.in_90 for a in answers]),
        "median area of the 90 % region, km2": f"{np.median([a.area_90_km2 for a in answers]):.3g}",
        "country bits over the population prior": bits([a.country_bits for a in answers]),
        "country bits over the belief's own start": bits([a.start_bits for a in answers]),
        "density bits over the belief's own start": bits([a.density_bits for a in answers]),
    }


def markdown(columns: Sequence[dict[str, str]]) -> str:
    """Columns of `table` beside each other."""
    names = [name for name in columns[0] if name]
    lines = ["| figure | " + " | ".join(c[""] for c in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(c.get(name, "-") for c in columns) + " |" for name in names]
    return "\n".join(lines) + "\n"
