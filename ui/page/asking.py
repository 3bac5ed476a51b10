"""From a case to its answer: one turn, carried out in the background and written into the case as it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from geosleuth.agent.cases.case import Case
from geosleuth.agent.cases.checkpoints import DamagedStateError
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.inquiry import Inquiry
from geosleuth.agent.steps import Step
from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.runs import Key, Run, State
from geosleuth.ui.page.server import Server

if TYPE_CHECKING:
    from geosleuth.agent.belief import Belief


def key_of(case: Case) -> Key:
    """Return the key of a case's runs."""
    return case.owner, case.id


def busy(server: Server, case: Case) -> Run | None:
    """Return the run of the case that is waiting or at work."""
    run = server.runs.of(key_of(case))
    return run if run is not None and not run.over else None


def ask(
    server: Server,
    store: CaseStore,
    case: Case,
    inquiry: Inquiry,
    *,
    said: str = "",
    understood: str = "",
    undo: bool = False,
) -> Run:
    """Begin a turn; it is in the case before anything runs, so that a server that ends can take it up again.

    Raises:
        InputError: The case has a run already, or cannot be written.
    """
    _check_free(server, case)
    begun = store.begin_turn(case.id, inquiry, said, understood, undo=undo, settings=server.settings)
    return _start(server, store, begun, resume=False)


def resume(server: Server, store: CaseStore, case: Case) -> Run:
    """Take up the last turn, which was stopped, failed, or ended with its server.

    Raises:
        InputError: The case has a run already.
    """
    _check_free(server, case)
    return _start(server, store, case, resume=True)


def state_is_damaged(server: Server, case: Case) -> bool:
    """Whether the case's last run was refused because of what is stored of it."""
    run = server.runs.of(key_of(case))
    return run is not None and isinstance(run.error, DamagedStateError)


def ask_anew(server: Server, store: CaseStore, case: Case) -> Run:
    """Forget what is stored of a case's runs, and look at its photos afresh for the question that stands.

    Raises:
        InputError: The case is busy, or cannot be written.
    """
    _check_free(server, case)
    store.forget_state(case.id)
    if case.turns and not case.turns[-1].finished:
        return _start(server, store, case, resume=False)
    return ask(server, store, case, case.inquiry, understood="Asked anew: what was stored is forgotten.")


def _check_free(server: Server, case: Case) -> None:
    if busy(server, case) is not None:
        remedy = "Wait for its answer, or stop it."
        raise InputError("one question at a time per case", "one that is still running", remedy)


def _start(server: Server, store: CaseStore, case: Case, *, resume: bool) -> Run:
    turn = case.turns[-1]

    def work() -> Iterator[Step]:
        with store.checkpointer(case) as checkpointer:
            session = server.agent.session(store.photos(case), thread_id=case.id, checkpointer=checkpointer)
            # A server may have ended before the turn's first step was stored: then there is nothing to go on with.
            yield from session.resume() if resume and session.interrupted else session.ask(turn.inquiry)

    def ended(run: Run, _: State) -> None:
        if run.answer is not None:
            store.finish_turn(case.id, turn.number, run.answer)

    return server.runs.start(key_of(case), turn.understood, work, ended)


def weighed(server: Server, store: CaseStore, case: Case) -> tuple[Belief, list[str]]:
    """Return the belief as the case stands, and the id of each piece of its evidence; no tool runs.

    Raises:
        InputError: The case is busy, or what was found is gone.
    """
    _check_free(server, case)
    with store.checkpointer(case) as checkpointer:
        session = server.agent.session(store.photos(case), thread_id=case.id, checkpointer=checkpointer)
        return session.weighed()
