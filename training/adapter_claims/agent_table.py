"""The agent with the adapters as prior and verifier, beside the embedded agent, on towns that were not taught."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from geosleuth.training.adapter_claims.agent_material import KINDS, Kind, agent_material, gallery_index
from geosleuth.training.adapter_claims.agent_rows import AgentArm, AgentRow, agent_rows
from geosleuth.training.adapter_claims.agent_verifier import Verifier, calibrated_verifier
from geosleuth.training.adapter_claims.geo_material import PAPERS
from geosleuth.training.adapter_claims.geo_tables import LOCATION_STEPS, REASONING_STEPS
from geosleuth.training.adapter_claims.pair_material import pair_material
from geosleuth.training.adapter_claims.pair_tables import STAGE, STEPS
from geosleuth.training.adapter_claims.run import Run
from geosleuth.training.adapter_claims.world import TOWNS
from geosleuth.training.evaluate.vlm.intervals import Figure, Statistic, changes, figures, mean, median, share

# Of the arms of the first tables: what those have trained is not trained again.
PRIOR = Run(
    "location", f"located above {PAPERS:g}", LOCATION_STEPS, 1, Run("reasoning", "reasoned", REASONING_STEPS, 1)
)
VERIFIER = Run(STAGE, "explained: truthful", STEPS, 1)
_EMBEDDED, _PRIOR, _BOTH = "embedded agent", "with the prior", "with prior and verifier"
_KM = (25, 200, 750)
_VIEWS: Mapping[Kind, str] = {"street": "Street views", "drone": "Drone pictures"}
_COUNTRY = "country of the point right, %"


def agent_section(work: Path, base: Path, runs: Path, processes: int | None = None) -> str:
    """Ask three agents about photos of towns that were not taught, and write the section; resumable by photo.

    Args:
        work: Folder of the worlds.
        base: Folder of the model that the adapters are for.
        runs: Folder of the runs, in which `PRIOR` and `VERIFIER` are trained.
        processes: Agents at work at a time; None: one for each core.

    Raises:
        InputError: A world, an adapter or the model is not there.
    """
    material = agent_material(work / TOWNS, pair_material(work / TOWNS, work).taught)
    own = runs / "agent"
    index = gallery_index(material, material.gallery, own / "index")
    fitted = gallery_index(material, material.fitted_gallery, own / "index-of-the-calibration")
    verifiers = {
        kind: calibrated_verifier(VERIFIER, base, runs, kind, material, fitted, own / "verifiers") for kind in KINDS
    }
    arms = [arm for kind in KINDS for arm in _arms(kind, index, PRIOR.spec(base, runs), verifiers[kind])]
    found = agent_rows(arms, material.asked, own / "answers", processes or os.cpu_count() or 1)
    asked = {kind: _Asked(verifiers[kind], {}) for kind in KINDS}
    for arm, rows in zip(arms, found, strict=True):
        asked[arm.kind].rows[arm.name] = rows
    return section(asked, len(material.gallery))


def _arms(kind: Kind, index: Path, prior: str, verifier: Verifier) -> list[AgentArm]:
    told = verifier.calibration.model_dump_json(exclude={"date"}) if verifier.calibration else ""
    return [
        AgentArm(_EMBEDDED, kind, index),
        AgentArm(_PRIOR, kind, index, prior),
        AgentArm(_BOTH, kind, index, prior, verifier.spec, told),
    ]


@dataclass(frozen=True)
class _Asked:
    """What came of one kind of photo."""

    verifier: Verifier
    rows: dict[str, Sequence[AgentRow]]  # by the agent's name


def section(asked: Mapping[Kind, _Asked], towns: int) -> str:
    """Write the section: a table and what it shows for each kind of photo."""
    about = (
        "Do the adapters help the agent? The whole agent with its rules as planner looks at photos of towns that no "
        f"adapter was taught, and searches one gallery, the tiles of the {towns} towns that are held out of the street "
        "views, with the embedded encoder. The prior is reasoning, then location; the verifier was taught labels and "
        "explanations of drone pictures (seed 1; synthetic). Percent, km and seconds with 95 % intervals by bootstrap "
        "over towns; the differences are of the same photos. A point and its country are the belief's, answered or "
        "not.\n"
    )
    lines = ["## Agent\n", about]
    for kind, one in asked.items():
        lines += _of_kind(kind, one)
    return "\n".join([*lines, "`python -m geosleuth.training.adapter_claims agent`\n"])


def _of_kind(kind: Kind, asked: _Asked) -> list[str]:
    rows = asked.rows
    places = [row.place for row in rows[_EMBEDDED]]
    statistics = {name: agent_statistics(own) for name, own in rows.items()}
    columns = {name: figures(one, places) for name, one in statistics.items()}
    steps = {
        "prior less embedded": changes(statistics[_PRIOR], statistics[_EMBEDDED], places),
        "both less embedded": changes(statistics[_BOTH], statistics[_EMBEDDED], places),
        "both less prior": changes(statistics[_BOTH], statistics[_PRIOR], places),
    }
    shown: dict[str, Mapping[str, Figure]] = {**columns, **steps}
    title = f"{_VIEWS[kind]}: {len(places)} photos of {len(set(places))} towns"
    lines = [f"| {title} | " + " | ".join(shown) + " |", "|---" * (1 + len(shown)) + "|"]
    for name in statistics[_EMBEDDED]:
        cells = [_cell(name, one[name], signed=column in steps) for column, one in shown.items()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    said = _conclusion(columns[_BOTH], columns[_EMBEDDED], steps["both less embedded"])
    return ["\n".join(lines) + "\n", f"{_VIEWS[kind]}: {said} {_verdicts(asked)}\n"]


def agent_statistics(rows: Sequence[AgentRow]) -> dict[str, Statistic]:
    """The figures of one agent; those that are shares have names that end with a percent sign, and are shown so."""
    right = [row.country == row.truth for row in rows]
    answered = [row.status == "localized" for row in rows]
    return {
        "answered (localized), %": share(answered),
        "country right, no answer is wrong, %": share([a and r for a, r in zip(answered, right, strict=True)]),
        _COUNTRY: share(right),
        "probability of the true country, mean, %": mean([row.probability for row in rows]),
        "km from the point, median": median([row.error_km for row in rows]),
        **{f"accuracy@{km}km, %": share([row.error_km <= km for row in rows]) for km in _KM},
        "in the 90 % region, %": share([row.in_90 for row in rows]),
        "seconds a photo, median": median([row.seconds for row in rows]),
    }


def _cell(name: str, one: Figure, *, signed: bool = False) -> str:
    if one.value is None:
        return "-"
    factor, sign = 100 if name.endswith("%") else 1, "+" if signed else ""
    digits = 0 if abs(factor * one.value) >= 1000 else 1
    value = f"{factor * one.value:{sign},.{digits}f}"
    if one.low is None or one.high is None:
        return value
    return f"{value} [{factor * one.low:{sign},.{digits}f}, {factor * one.high:{sign},.{digits}f}]"


def _conclusion(both: Mapping[str, Figure], embedded: Mapping[str, Figure], change: Mapping[str, Figure]) -> str:
    """Say whether the adapters' agent knows the country better."""
    low, high = change[_COUNTRY].low, change[_COUNTRY].high
    if low is not None and low > 0:
        verdict = "the agent with both adapters beats the embedded one"
    elif high is not None and high < 0:
        verdict = "the agent with both adapters is worse than the embedded one"
    else:
        verdict = "the agent with both adapters cannot be told from the embedded one"
    here, there = (_cell(_COUNTRY, one[_COUNTRY]) for one in (both, embedded))
    return f"{verdict}: the country of its point is right for {here} percent of the photos, against {there}."


def _verdicts(asked: _Asked) -> str:
    """Say what the verifier saw: it can only confirm a tile that was found."""
    rows = asked.rows[_BOTH]
    judged, true = sum(row.judged for row in rows), sum(row.true_judged for row in rows)
    yes, right = sum(row.said_yes for row in rows), sum(row.true_yes for row in rows)
    fitted = asked.verifier.calibration
    how = (
        f"calibrated on {fitted.matches:,} pairs of one place and {fitted.others:,} of two, of other towns"
        if fitted
        else f"without a calibration ({asked.verifier.why_not}), so its verdicts are opinions and no evidence"
    )
    return (
        f"The verifier, {how}, judged {judged:,} tiles, of which {true:,} show the place: it said yes to {right:,} of "
        f"these and to {yes - right:,} of the {judged - true:,} others."
    )
