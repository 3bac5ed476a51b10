"""Measure what the loop costs beside its tools: graph, belief, planner and contributions.

Twelve pieces of evidence, one of them a mixture of 50 places, from stubbed tools on a small picture. Target: a median
of 60 ms on 2 cores.

    python benchmarks/loop_overhead.py [--runs 30]
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from geosleuth.agent.agent import Agent
from geosleuth.agent.belief import Belief
from geosleuth.agent.localization import LocatabilityScore
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Finding, Scene
from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.tools.evidence import Evidence, Likelihood, NearPlace, NearPoints, Nothing, OverRegions

COUNTRIES = ("PT", "BR", "AO", "ES", "MZ")


def evidence(kind: str, likelihood: Likelihood, group: str | None = None) -> Evidence:
    """One stubbed finding."""
    return Evidence(tool=kind.split(".")[0], type=kind, claim=f"A stub of {kind}.", likelihood=likelihood, group=group)


def twelve() -> list[Evidence]:
    """Nine over regions, two near places (one with 50), one nothing, as a street full of signs gives them."""
    strengths = [OverRegions(log_ratios=dict.fromkeys(COUNTRIES, 2.0 + i / 5)) for i in range(9)]
    regions = [evidence("reading.language", one, group=f"line:{i % 3}") for i, one in enumerate(strengths)]
    gazetteer = load_gazetteer()
    places = [gazetteer.place(row) for row in range(0, 50_000, 1000)]
    mixture = tuple(NearPlace(lat=p.lat, lon=p.lon, spread_km=10.0, weight=50.0) for p in places)
    town = NearPlace(lat=41.15, lon=-8.61, spread_km=8.0, weight=300.0)
    near = [NearPoints(places=mixture, floor=1.0), NearPoints(places=(town,), floor=1.0)]
    return [*regions, *(evidence("reading.place_name", one) for one in near)]


FOUND = twelve()


def metadata(_: Scene) -> Finding:
    """Read the file."""
    return Finding("stub", (evidence("metadata.gps", Nothing(reason="a stub")),))


def read_text(_: Scene) -> Finding:
    """Read the signs."""
    return Finding("stub", tuple(FOUND))


def locatability(_: Scene) -> Finding:
    """Score the photo."""
    return Finding("stub", locatability=LocatabilityScore(score=0.5, backend="stub"))


def submap(scene: Scene) -> Finding:
    """List countries."""
    return Finding(f"{len(scene.belief())} countries")


def timed(spent: Counter[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the time of each call to `spent[name]`."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[name] += time.perf_counter() - started

    return wrapper


def watch(spent: Counter[str]) -> None:
    """Time the belief's public methods; none of them calls another that is watched twice over."""
    for name in ("update", "contributions", "region"):
        setattr(Belief, name, timed(spent, name, getattr(Belief, name)))
    others = ("country_probabilities", "entropy_bits", "city", "radius_km")  # point() is inside city and radius_km
    for name in others:
        setattr(Belief, name, timed(spent, "other belief", getattr(Belief, name)))


def main() -> None:
    """Print the median and its shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    runs = parser.parse_args().runs
    spent: Counter[str] = Counter()
    watch(spent)
    tools = {"metadata": metadata, "read_text": read_text, "locatability": locatability, "submap": submap}
    agent = Agent(Settings(), tools=tools)
    picture = np.full((40, 60, 3), 127, dtype=np.uint8)
    for _ in range(3):  # tables, caches
        answer = agent.localize(picture)
    assert len(answer.evidence) == 12, len(answer.evidence)  # noqa: S101  a benchmark of something else is none
    seconds: list[float] = []
    shares: list[dict[str, float]] = []
    for _ in range(runs):
        spent.clear()
        started = time.perf_counter()
        agent.localize(picture)
        seconds.append(time.perf_counter() - started)
        shares.append({**spent, "graph, planner and the rest": seconds[-1] - math.fsum(spent.values())})
    low, middle, high = (1000 * q for q in (min(seconds), statistics.median(seconds), max(seconds)))
    print(f"loop overhead: median {middle:.1f} ms over {runs} runs (from {low:.1f} to {high:.1f}); target 60 ms")
    for name in sorted(shares[0], key=lambda n: -statistics.median(s[n] for s in shares)):
        part = 1000 * statistics.median(s[name] for s in shares)
        print(f"  {name:28s} {part:6.1f} ms  {part / middle:4.0%}")


if __name__ == "__main__":
    main()
