"""The turns of a case: what an undo takes back, what a list says of the last one, what a cap leaves of an answer."""

from __future__ import annotations

from collections.abc import Sequence

from geosleuth.agent.cases.case import Case, CaseSummary, Turn
from geosleuth.agent.inquiry import Inquiry
from geosleuth.agent.localization import Localization
from geosleuth.indexes.errors import InputError


def before_last_change(turns: Sequence[Turn]) -> Inquiry:
    """Return the inquiry as it was before the last turn that changed it and was not taken back since.

    An undo is itself a turn: the second one goes back further, and nothing is ever lost. A turn of calls alone
    ("compare with candidate 2"), or in another language, changed nothing that could be taken back; the language stays.

    Raises:
        InputError: There is nothing to take back.
    """
    stood = [Inquiry()]
    for turn in turns:
        now = turn.inquiry.model_copy(update={"calls": (), "language": None})
        if turn.undo and len(stood) > 1:
            stood.pop()
        elif now != stood[-1]:
            stood.append(now)
    if len(stood) == 1:
        raise InputError("a change to take back", "none", "Nothing was said yet that changed the answer.")
    return stood[-2].model_copy(update={"language": turns[-1].inquiry.language})


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
    """Return the answer no finer than the cap, and without the names of files, which may name a place.

    The agent's own cap may have been wider, or none. Of an answer that came from here, the very same is returned.
    """
    if cap_km is None:
        return answer
    nameless = without_names(answer)
    if not _finer(answer.precision_cap_km, cap_km):
        return nameless
    from geosleuth.agent.precision import coarsen

    return coarsen(nameless, cap_km)


def asked_words(turn: Turn) -> str:
    """All that was asked, as the chain of custody hashes it."""
    return turn.model_dump_json(include={"number", "said", "understood", "inquiry"})


def without_words(case: Case) -> Case:
    """Return the case without what the investigator said or named: under a cap it must not name the place.

    Without the salt as well, with which whoever tries the names of places could read the chain's hashes.
    """
    turns = tuple(
        turn.model_copy(update={"said": "", "understood": "", "inquiry": Inquiry(), "place": turn.country})
        for turn in case.turns
    )
    photos = tuple(photo.model_copy(update={"name": _numbered(i)}) for i, photo in enumerate(case.photos))
    return case.model_copy(update={"name": f"Case {case.id[:8]}", "salt": "", "photos": photos, "turns": turns})


def without_names(answer: Localization) -> Localization:
    """Return the answer without the names of its photos' files; the very same where it has none."""
    photos = tuple(photo.model_copy(update={"name": _numbered(i)}) for i, photo in enumerate(answer.photos))
    first = answer.photo.model_copy(update={"name": _numbered(0)})
    if (first, photos) == (answer.photo, answer.photos):
        return answer
    return answer.model_copy(update={"photo": first, "photos": photos})


def _numbered(index: int) -> str:
    return f"photo-{index + 1}"


def _finer(own_km: float | None, cap_km: float | None) -> bool:
    return cap_km is not None and (own_km or 0.0) < cap_km
