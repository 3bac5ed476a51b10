"""The turns of a case: what an undo takes back, what a list says of the last one, what a cap leaves of an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from geosleuth.agent.cases.case import Case, CaseSummary, Turn
from geosleuth.agent.inquiry import Inquiry
from geosleuth.agent.localization import Localization
from geosleuth.indexes.errors import InputError


def before_last_change(turns: Sequence[Turn]) -> Inquiry:
    """Return the inquiry as it was before the last turn that changed it and was not taken back since.

    An undo is itself a turn: the second one goes back further, and nothing is ever lost. A turn of calls alone
    ("compare with candidate 2") changed nothing that could be taken back.

    Raises:
        InputError: There is nothing to take back.
    """
    stood = [Inquiry()]
    for turn in turns:
        now = turn.inquiry.model_copy(update={"calls": ()})
        if turn.undo and len(stood) > 1:
            stood.pop()
        elif now != stood[-1]:
            stood.append(now)
    if len(stood) == 1:
        raise InputError("a change to take back", "none", "Nothing was said yet that changed the answer.")
    return stood[-2]


def summary(case: Case, cap_km: float | None) -> CaseSummary:
    """Say of a case what a list shows, no finer than the cap, which may be younger than the answer."""
    last = case.last_finished
    place = "" if last is None else last.country if _finer(last.precision_cap_km, cap_km) else last.place
    return CaseSummary(
        id=case.id,
        name=case.name,
        changed=case.changed,
        photos=len(case.photos),
        turns=len(case.turns),
        place=place,
        status=last.status if last else None,
    )


def capped(answer: Localization, cap_km: float | None) -> Localization:
    """Return the answer no finer than the cap; the agent's own cap may have been wider, or none."""
    if cap_km is None or not _finer(answer.precision_cap_km, cap_km):
        return answer
    from geosleuth.agent.precision import coarsen

    return coarsen(answer, cap_km)


def digest(turn: Turn) -> str:
    """SHA-256 of what was asked, for the chain of custody: it proves the words, and does not repeat them."""
    asked = turn.model_dump_json(include={"number", "said", "understood", "inquiry"})
    return hashlib.sha256(asked.encode()).hexdigest()


def without_words(case: Case) -> Case:
    """Return the case without what the investigator said: under a cap it must not name the place."""
    turns = tuple(
        turn.model_copy(update={"said": "", "understood": "", "inquiry": Inquiry(), "place": turn.country})
        for turn in case.turns
    )
    return case.model_copy(update={"turns": turns})


def _finer(own_km: float | None, cap_km: float | None) -> bool:
    return cap_km is not None and (own_km or 0.0) < cap_km
