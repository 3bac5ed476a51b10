"""The tools that every installation has, as the planner calls them. `TOOLS` is the one table of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from geosleuth.agent.localization import LocatabilityScore
from geosleuth.agent.toolbox import Finding, Scene, ToolFunction
from geosleuth.indexes.countries import country_name
from geosleuth.tools.evidence import Evidence, Nothing

Share = Annotated[float, Field(gt=0, lt=1)]


def metadata(scene: Scene) -> Finding:
    """Read the position, time and camera that the file itself states; cheap, so look here first."""
    from geosleuth.tools.metadata import read_metadata

    evidence = tuple(read_metadata(scene.photo))
    return Finding(_telling(evidence, "the file states nothing about the place"), evidence)


def read_text(scene: Scene) -> Finding:
    """Read every sign and turn words, names, phone numbers, domains and prices into evidence; the strongest tool."""
    from geosleuth.tools.reading import read_text as read

    reading = read(scene.photo)
    lines, evidence = tuple(reading.lines), tuple(reading.evidence)
    return Finding(f"{len(lines)} lines; {_telling(evidence, 'none of them tells a place')}", evidence, lines)


def locatability(scene: Scene) -> Finding:
    """Score how much the photo shows that a place could be told from; call it after the signs are read."""
    from geosleuth.tools.locatability import score_locatability

    found = score_locatability(scene.photo, scene.lines)
    score = LocatabilityScore(score=found.score, backend=found.backend, parts=dict(found.parts))
    return Finding(f"locatability {found.score:.2f} in [0, 1]", locatability=score, figures={"score": found.score})


def prior(scene: Scene) -> Finding:
    """Ask the prior backend for countries and a point: predictions recorded earlier, or else the belief so far."""
    if scene.recorded is not None:
        evidence = tuple(scene.recorded.evidence_for(scene.photo.name))
        return Finding(_telling(evidence, "no recorded prediction for this photo"), evidence)
    top = dict(list(scene.belief().items())[:5])
    words = ", ".join(f"{country_name(code)} {share:.0%}" for code, share in top.items())
    return Finding(f"the belief so far: {words}", figures={"countries": {c: round(p, 4) for c, p in top.items()}})


def submap(scene: Scene, share: Share = 0.95) -> Finding:
    """List the fewest countries that hold a share of the belief; call it when the evidence is in, before comparing."""
    from geosleuth.tools.submap import select_submap

    selected = select_submap(scene.belief(), share=share)
    codes = [str(code) for code in selected.countries]
    words = ", ".join(country_name(code) for code in codes[:5]) + (" and others" if len(codes) > 5 else "")
    summary = f"{len(codes)} countries hold {share:.0%} of the belief: {words}"
    return Finding(summary, figures={"countries": codes[:20]})


TOOLS: dict[str, ToolFunction] = {
    "metadata": metadata,
    "read_text": read_text,
    "locatability": locatability,
    "prior": prior,
    "submap": submap,
}


def _telling(evidence: tuple[Evidence, ...], none: str) -> str:
    """Count the findings that say something; else give the tool's own reason."""
    speaking = [item for item in evidence if not isinstance(item.likelihood, Nothing)]
    if speaking:
        return f"{len(speaking)} finding{'s' if len(speaking) > 1 else ''}"
    reasons = [item.likelihood.reason for item in evidence if isinstance(item.likelihood, Nothing)]
    return reasons[0] if len(reasons) == 1 else none
