"""A person's words in the chat: understood, shown, and turned into the next question; no word is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geosleuth.agent.cases.case import Case
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.dialogue import checked
from geosleuth.agent.dialogue.move import NotUnderstood, Understood, Undo, WhyNot, after
from geosleuth.agent.localization import Localization
from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Language
from geosleuth.ui.page.asking import ask, weighed
from geosleuth.ui.page.server import Server
from geosleuth.ui.view.numbered import numbered

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from geosleuth.indexes.photo import Photo


@dataclass(frozen=True)
class Reply:
    """What the page answers at once."""

    words: str
    suggestions: tuple[str, ...] = ()
    asked: bool = False  # a run has begun besides
    kept: bool = False  # the words stand in the case


def understand(server: Server, text: str, answer: Localization | None, photos: Sequence[Photo]) -> Understood:
    """Return what the words ask for: by rules, and by the planner's model where they do not know the sentence.

    Args:
        server: Whose planner's model is asked.
        text: The person's words.
        answer: What they see while writing; None before the first.
        photos: Of the case; their files tell the time that words about the sun leave out.
    """
    from geosleuth.agent.dialogue.rules import certain
    from geosleuth.agent.dialogue.rules import understand as by_rules

    shown = None if answer is None else as_shown(answer)
    taken = _taken(photos)
    known = certain(text, shown, taken)
    if known is not None:
        return known
    model = server.agent.planner_model()  # which may have to be loaded first
    if model is None:
        return by_rules(text, shown, taken)
    from geosleuth.agent.dialogue.model import understand_with

    return understand_with(model, text, shown, taken)


def _taken(photos: Sequence[Photo]) -> datetime | None:
    """The files' time; none where they differ, for then a person must say which photo's sun is meant."""
    from geosleuth.tools.sunlight import taken_together

    try:
        return taken_together(photos)
    except InputError:
        return None


def carry_out(
    server: Server, store: CaseStore, case: Case, said: str, understood: Understood, language: Language | None = None
) -> Reply:
    """Do what was understood: begin a run, or answer in words.

    Args:
        server: Whose agent answers.
        store: Where the turn is kept.
        case: As it is now.
        said: The person's own words; empty for a click.
        understood: What they ask for.
        language: Of a model's explanations from now on.

    Raises:
        InputError: There is nothing to undo, the case is busy, or it cannot be written.
    """
    move = understood.move
    if isinstance(move, NotUnderstood):
        return Reply(move.reason, move.suggestions)
    if isinstance(move, WhyNot):
        return _in_words(server, store, case, said, move)
    words = understood.words if understood.by == "rules" else f"{understood.words} (understood by {understood.by})"
    if isinstance(move, Undo):
        ask(server, store, case, store.undo(case.id), said=said, understood=words, undo=True)
    else:
        inquiry = after(case.inquiry, move).model_copy(update={"language": language})
        ask(server, store, case, inquiry, said=said, understood=words)
    return Reply(words, asked=True)


def as_shown(answer: Localization) -> Localization:
    """Return the answer with its evidence as the page lists it, so that "clue 2" means what the person sees as 2."""
    shown = tuple(clue.item for clue in numbered(answer))
    return answer.model_copy(update={"evidence": shown, "contradictions": ()})  # whose indexes would be others


def switched(now: Collection[str], answer: Localization) -> Understood | None:
    """Return what the switches beside the evidence ask for; None where none was moved.

    Only what the page lists has a switch: a finding that tells nothing may be left out, and stays so.
    """
    before = {clue.item.id for clue in numbered(answer) if clue.item.left_out}
    out, back = set(now) - set(before), set(before) - set(now)
    if out:
        return checked.leave_out([item for item in answer.evidence if item.id in out])
    return checked.bring_back([item for item in answer.evidence if item.id in back]) if back else None


def _in_words(server: Server, store: CaseStore, case: Case, said: str, move: WhyNot) -> Reply:
    """Answer "why not Spain?" from what was found, and keep both in the case; nothing runs."""
    from geosleuth.agent.dialogue.why_not import why_not

    if case.last_finished is None:
        return Reply("There is no answer yet to ask about.")
    answer = store.answer(case)
    belief, ids = weighed(server, store, case)
    words = why_not(belief, ids, move.codes, answer).words
    begun = store.begin_turn(case.id, case.inquiry, said, words)
    store.finish_turn(case.id, begun.turns[-1].number, answer)  # the same answer stands
    return Reply(words, kept=True)
