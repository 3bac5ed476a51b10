"""The answer that follows from candidates: the first one, or the one that a verifier accepts, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from geosleuth.tools.verification import is_match
from geosleuth.training.evaluate.ablations.arm import ERROR, Values, error_km, flag
from geosleuth.training.evaluate.ablations.query import NEAR_M, is_right, metres

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Candidate
    from geosleuth.training.evaluate.ablations.setup import Look


def first(candidates: Sequence[Candidate]) -> Candidate | None:
    """Without a verifier: whatever looks most like the photo."""
    return candidates[0] if candidates else None


def accepted(verified: Sequence[Candidate]) -> Candidate | None:
    """The candidate with most agreeing features of those that verification accepts; None where it accepts none."""
    return max(filter(is_match, verified), key=inliers, default=None)


def inliers(candidate: Candidate) -> int:
    """Agreeing features; 0 where nobody looked."""
    return candidate.verification.inliers if candidate.verification else 0


def outcome(look: Look, answer: Candidate | None) -> Values:
    """Right, near (the same street), wrong, or no answer at all."""
    truth = look.query.position
    right = answer is not None and is_right(answer, truth, look.setup.within_m)
    near = answer is not None and not right and metres(answer, truth) <= NEAR_M
    return {
        "answered right": flag(right),
        "answered within 100 m": flag(near),
        "answered wrong": flag(answer is not None and not right and not near),
        "no answer": flag(answer is None),
        ERROR: error_km(answer, truth) if answer is not None else None,
    }
