"""The tools that every installation has, as the planner calls them. `TOOLS` is the one table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from geosleuth.agent.localization import LocatabilityScore
from geosleuth.agent.tool_images import sign_images
from geosleuth.agent.toolbox import Finding, Scene, ToolFunction
from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.countries import country_name
from geosleuth.tools.evidence import Evidence, Nothing

if TYPE_CHECKING:
    from geosleuth.tools.locatability import Locatability

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
    summary = f"{len(lines)} lines; {_telling(evidence, 'none of them tells a place')}"
    return Finding(summary, evidence, lines, images=sign_images(scene, lines))


def locatability(scene: Scene) -> Finding:
    """Score how much the photo shows that a place could be told from; call it after the signs are read."""
    found = _locatability(scene)
    score = LocatabilityScore(
        score=found.score,
        backend=parse_backend(found.backend).short,
        parts=dict(found.parts),
        reason=found.reason,
        weights=found.weights,
    )
    summary = f"locatability {found.score:.2f} in [0, 1]. {found.reason}"
    return Finding(summary, locatability=score, figures={"score": found.score})


def _locatability(scene: Scene) -> Locatability:
    from geosleuth.tools.captions import scene_lines
    from geosleuth.tools.locatability import score_locatability

    spec = scene.models.spec("locatability") if scene.models is not None else None
    if scene.models is None or spec is None:
        return score_locatability(scene.photo, scene_lines(scene.lines))
    from geosleuth.tools.learned_locatability import segment_locatability, vlm_locatability
    from geosleuth.tools.vlm.load import model_kind

    if model_kind(spec) == "segmenter":
        return segment_locatability(scene.photo, spec, weights=scene.models.settings.locatability_weights)
    return vlm_locatability(scene.photo, scene.models.vlm("locatability"))


def prior(scene: Scene) -> Finding:
    """Ask the prior backend for countries and a place: a model, predictions recorded earlier, or the belief so far."""
    if scene.recorded is not None:
        evidence = tuple(scene.recorded.evidence_for(scene.photo.name))
        return Finding(_telling(evidence, "no recorded prediction for this photo"), evidence)
    spec = scene.models.spec("prior") if scene.models is not None else None
    if spec is not None:
        evidence = _model_prior(scene, spec)
        return Finding(_telling(evidence, "the model names no place"), evidence)
    top = dict(list(scene.belief().items())[:5])
    words = ", ".join(f"{country_name(code)} {share:.0%}" for code, share in top.items())
    return Finding(f"the belief so far: {words}", figures={"countries": {c: round(p, 4) for c, p in top.items()}})


def _model_prior(scene: Scene, spec: str) -> tuple[Evidence, ...]:
    """Ask the model of the role prior, whatever its kind."""
    if scene.models is None:
        return ()
    if spec == "geoclip":
        from geosleuth.tools.geoclip_prior import geoclip_prior

        return tuple(geoclip_prior(scene.photo))
    from geosleuth.tools.vlm.load import model_kind

    if model_kind(spec) == "clip":
        from geosleuth.tools.zero_shot import zero_shot_prior

        return tuple(zero_shot_prior(scene.photo, spec))
    from geosleuth.tools.georeasoner import ask_prior

    return tuple(ask_prior(scene.photo, scene.models.vlm("prior"), samples=scene.models.settings.prior_samples))


def submap(scene: Scene, share: Share = 0.95) -> Finding:
    """List the fewest countries that hold a share of the belief; call it when the evidence is in, before comparing."""
    from geosleuth.tools.submap import select_submap

    selected = select_submap(scene.belief(), share=share)
    codes = [str(code) for code in selected.countries]
    words = ", ".join(country_name(code) for code in codes[:5]) + (" and others" if len(codes) > 5 else "")
    summary = f"{countries_hold(len(codes))} {share:.0%} of the belief: {words}"
    return Finding(summary, figures={"countries": codes[:20]})


def countries_hold(count: int) -> str:
    """Begin a sentence on how many countries hold something."""
    return "1 country holds" if count == 1 else f"{count} countries hold"


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
