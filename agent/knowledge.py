"""What the planner is told before each step, computed from the state."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from geosleuth.agent.investigation import Investigation
from geosleuth.agent.localization import TraceStep
from geosleuth.agent.models import PhotoModels, VlmRole
from geosleuth.agent.prompts import Known
from geosleuth.agent.state import PERCEIVE, AgentState, look, standing, this_visit
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.quoting import neutralised

_SHARE = 0.95
_LONGEST_CALL = 200  # characters; no rule's call is longer, and all of them are told before each step


def known(state: AgentState, run: Investigation) -> Known:
    """Sum up the evidence, the search and the limits."""
    trace, seen = standing(state), look(state)
    # A malformed call was never made: its tool is still to be called, by whoever can.
    made = [step for step in trace if step.failure is None or step.failure.kind != "malformed"]
    probabilities = run.countries(state["found"])
    steps = sum(step.by != PERCEIVE for step in this_visit(state))
    lines, search, candidates = seen.lines, seen.search, seen.candidates
    models = run.view(state).models
    return Known(
        tools_called=tuple(step.tool for step in made),
        calls=tuple(neutralised(call_name(step.tool, step.args))[:_LONGEST_CALL] for step in made),
        hints=len(run.stated),
        prior_speaks=run.recorded is not None or _modelled(models, "prior"),
        pairwise_by_model=_modelled(models, "pairwise"),
        file_states_position=any(item.evidence.type == "metadata.gps" for item in run.counted(state["found"])),
        lines_read=None if lines is None else len(lines),
        countries=tuple((code, round(share, 4)) for code, share in list(probabilities.items())[:5]),
        countries_holding_95=_holding(probabilities),
        candidates=len(candidates),
        verified=_verified_since_search(trace),
        matches=_count(candidates, "match"),
        rejected=_count(candidates, "no_match"),
        left_out=search.references - search.searched if search else 0,
        steps_left=run.settings.max_steps - steps,
        seconds_left=round(run.settings.max_seconds - run.visit_seconds, -1),  # in tens: the same photo, the same words
    )


def _modelled(models: PhotoModels | None, role: VlmRole) -> bool:
    return models is not None and models.spec(role) is not None


def call_name(tool: str, args: Mapping[str, Any]) -> str:
    """Name a call with the arguments that it was made with."""
    return f"{tool} {json.dumps(dict(args), sort_keys=True)}"


def _holding(probabilities: Mapping[str, float]) -> int:
    """Fewest countries that hold 95 % of the belief."""
    held, holding = 0.0, 0
    for share in probabilities.values():
        if held >= _SHARE:
            break
        held += share
        holding += 1
    return holding


def _verified_since_search(trace: Sequence[TraceStep]) -> bool:
    """Whether a verification, failed ones too, came after the last search: else its candidates are unproven."""
    order = [step.tool for step in trace if step.tool in ("retrieve", "verify")]
    return bool(order) and order[-1] == "verify"


def _count(candidates: Sequence[Candidate], verdict: str) -> int:
    return sum(one.verification is not None and one.verification.verdict == verdict for one in candidates)
