"""Refusals of what is only half understood, with sentences that would be understood; nothing is guessed."""

from __future__ import annotations

from datetime import datetime

from geosleuth.agent.dialogue.checked import refused
from geosleuth.agent.dialogue.move import Understood

_SUGGESTED = 3  # answers to a question that are offered; it may have two dozen


def unclear_sight(question: str, reason: str) -> Understood:
    """Ask the question that a sentence speaks of, without saying for certain how it is to be answered."""
    from geosleuth.tools.observations import QUESTIONS

    asked = QUESTIONS[question]
    return refused(f"{reason} {asked.text}", [option.says for option in asked.options[:_SUGGESTED]])


def unclear_sun(said: datetime | None, photo_taken: datetime | None) -> Understood:
    """Show how to speak of the sun; the time stands in the examples unless the photo's own is known."""
    when = ""
    if said is not None:
        zone = f" {said:%z}" if said.tzinfo else ""
        when = f"taken {said:%Y-%m-%d %H:%M}{zone}, "
    elif photo_taken is None:
        when = "taken 2024-06-01 12:30, "
    told = ("the sun is 45 degrees high", "the sun is in the south-east", "the shadow is twice as long as the pole")
    reason = "That was not understood for certain: say the time, and the sun's height, its direction or a shadow."
    return refused(reason, [when + one for one in told])
