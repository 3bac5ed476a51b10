"""What a caller sees of a run while it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from geosleuth.agent.localization import Localization, TraceStep
from geosleuth.tools.evidence import Evidence


@dataclass(frozen=True)
class Step:
    """One step as it happens. The last one has no trace entry and holds the answer."""

    trace: TraceStep | None
    evidence: tuple[Evidence, ...] = ()  # what the step found
    localization: Localization | None = None


def steps_of(change: Mapping[str, Any], cap_km: float | None) -> Iterator[Step]:
    """Yield the steps of one node's update, no finer than the cap."""
    from geosleuth.agent.precision import coarsen_step

    for entry in change.get("trace") or ():
        evidence = tuple(item.evidence for item in change.get("found") or () if item.step == entry.step)
        if cap_km is not None:
            entry, evidence = coarsen_step(entry, evidence, cap_km)
        yield Step(trace=entry, evidence=evidence)
