"""One scene, asked about again and again: photos, what the investigator said, and what stands from turn to turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from geosleuth.agent.audit import append_audit
from geosleuth.agent.inquiry import Inquiry, RequestedCall
from geosleuth.agent.investigation import photo_key
from geosleuth.agent.state import AgentState
from geosleuth.agent.steps import Step, steps_of
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.agent.agent import Agent
    from geosleuth.agent.belief import Belief
    from geosleuth.agent.investigation import Investigation
    from geosleuth.agent.localization import TraceStep
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.evidence import Evidence


class Session:
    """The photos of one scene and one belief about it. Use `Agent.session`; one thread at a time.

    The state lives in the checkpointer under `thread_id`: a session that is opened with the same of both goes on where
    the last one stopped, in another process too.
    """

    def __init__(self, agent: Agent, photos: Sequence[Photo], *, thread_id: str, checkpointer: Any) -> None:
        self._agent = agent
        self._photos = list(photos)
        self._graph = agent.graph(checkpointer)
        self._checkpointer = checkpointer
        self._thread = thread_id

    @property
    def photos(self) -> tuple[Photo, ...]:
        """The photos of the scene, in the order in which they are looked at."""
        return tuple(self._photos)

    @property
    def interrupted(self) -> bool:
        """Whether a run stopped before its answer, and `resume` can go on with it."""
        return bool(self._stored()) and bool(self._graph.get_state(self._config()).next)

    def add(self, images: Any) -> None:
        """Add photos of the same scene; the next `ask` looks at them."""
        self._photos += self._agent.load(images)

    def ask(self, inquiry: Inquiry | None = None) -> Iterator[Step]:
        """Yield each step as soon as it is done; the last one holds the answer.

        What was asked before stands: a photo is read once. When the inquiry says something new, or leaves evidence
        out, only what depends on the belief (the search of the gallery and what follows it) runs again.

        Raises:
            InputError: A statement that nobody understands, a call that cannot be made, or a damaged index.
        """
        inquiry = inquiry or Inquiry()
        run = self._agent.investigation(self._photos, inquiry)
        _check_calls(run)
        return self._run(run, self._turn(run))

    def gather(self) -> tuple[tuple[Evidence, ...], tuple[TraceStep, ...]]:
        """Look as `ask` does, and stop before the answer is drawn: an evaluation draws its own, many times.

        Returns:
            The evidence that counts in the answer, in its order, and all steps.

        Raises:
            InputError: A damaged index, or a model that cannot be loaded.
        """
        from langsmith import tracing_context

        run = self._agent.investigation(self._photos, Inquiry())
        updates = self._graph.stream(
            self._turn(run), self._config(run), context=run, stream_mode="updates", interrupt_before=["conclude"]
        )
        with tracing_context(enabled=False):  # as in `_run`
            for _ in updates:
                pass
        stored = self._stored()
        counted = run.counted(stored.get("found") or [])
        return tuple(item.evidence for item in counted), tuple(stored.get("trace") or ())

    def resume(self) -> Iterator[Step]:
        """Go on with a run that was interrupted, or answer again from what is stored.

        Raises:
            InputError: Nothing is stored.
        """
        stored = self._stored()
        if "asked" not in stored:
            raise InputError("a run to go on with", "none", "Ask first.")
        asked, photos = stored["asked"], self._photos[: len(stored["pictures_asked"])]  # others may have come since
        if self.interrupted:
            return self._run(self._agent.investigation(photos, asked), None)
        run = self._agent.investigation(photos, asked.model_copy(update={"calls": ()}))  # they were of that turn alone
        return self._run(run, self._turn(run))

    def weighed(self) -> tuple[Belief, list[str]]:
        """Return the belief as it stands, and the `WeighedEvidence.id` of each piece of its evidence; no tool runs.

        Raises:
            InputError: Nothing is stored.
        """
        stored = self._stored()
        if "asked" not in stored:
            why = "nothing is stored: nothing was asked yet, or a cap on precision keeps it from the disk"
            raise InputError("what was found in these photos", why, "Ask first, or ask anew.")
        run, found = self._agent.investigation(self._photos, stored["asked"]), stored.get("found") or []
        return run.belief(found), [item.id for item in run.counted(found)]

    def _stored(self) -> AgentState:
        """The state so far; empty where nothing is stored, or where it is about other pictures than these."""
        if self._checkpointer is None:
            return AgentState()
        stored: AgentState = self._graph.get_state(self._config()).values
        known = stored.get("pictures_asked") or []
        keys = [photo_key(photo) for photo in self._photos[: len(known)]]
        return stored if known == keys else AgentState()  # a picture was turned or cropped since

    def _turn(self, run: Investigation) -> AgentState:
        """The input of the next turn: which photos are to be looked at, and whether the belief has changed."""
        stored, inquiry = self._stored(), run.inquiry
        if not stored and self._checkpointer is not None:
            self._checkpointer.delete_thread(self._thread)  # what is there is about other pictures
        before = stored.get("asked") or Inquiry()
        turn = (stored.get("turn") or 0) + 1
        looked = len(stored.get("pictures_asked") or [])
        # Of a run that was interrupted, the photo that was looked at then and those that were waiting come first.
        unfinished = [stored.get("photo") or 0, *stored.get("queue", [])] if self.interrupted else []
        new = list(dict.fromkeys([*unfinished, *range(looked, len(run.views))]))
        changed = bool(new) or before.statements != inquiry.statements or before.left_out != inquiry.left_out
        again = [i for i in range(looked) if run.references is not None and changed]
        if "gleam_x" in run.tools and looked and before.language != inquiry.language:  # explain again, in the other one
            calls = tuple(RequestedCall(tool="gleam_x", photo=i) for i in range(looked))
            run.inquiry = inquiry.model_copy(update={"calls": inquiry.calls + calls})
        called = [call.photo for call in run.inquiry.calls]
        return AgentState(
            asked=inquiry,
            heard=False,
            turn=turn,
            since=turn if changed else stored.get("since") or 1,
            queue=list(dict.fromkeys([*new, *again, *called])),
            pictures_asked=[view.key for view in run.views],
            closing="",
        )

    def _run(self, run: Investigation, given: AgentState | None) -> Iterator[Step]:
        from langsmith import tracing_context

        settings = run.settings
        updates = self._graph.stream(given, self._config(run), context=run, stream_mode="updates")
        while True:
            with tracing_context(enabled=False):  # LANGSMITH_TRACING in the environment must not send photos anywhere
                update = next(updates, None)
            if update is None:
                break
            for change in update.values():
                yield from steps_of(change or {}, settings.precision_cap_km)
        if run.answer is None:  # the graph always concludes; mypy cannot know
            raise RuntimeError("the loop ended without an answer")
        if settings.audit_log is not None:
            for photo in run.answer.photos:
                append_audit(settings.audit_log, sha256=photo.sha256, status=run.answer.status)
        yield Step(trace=None, localization=run.answer)

    def _config(self, run: Investigation | None = None) -> dict[str, Any]:
        from geosleuth.agent.graph import recursion_limit

        config: dict[str, Any] = {"configurable": {"thread_id": self._thread}}
        if run is not None:
            # Each photo may also be explained again in another language.
            requested = len(run.inquiry.calls) + len(self._photos)
            limit = recursion_limit(run.settings.max_steps, len(self._photos), requested)
            config["recursion_limit"] = limit
        return config


def _check_calls(run: Investigation) -> None:
    for call in run.inquiry.calls:
        tool = run.tools.get(call.tool)
        if tool is None:
            remedy = f"Tools here: {', '.join(run.tools)}."
            if call.tool in ("retrieve", "verify", "compare"):
                remedy = "Name an index to search: --index, or `index` in geosleuth.toml."
            raise InputError(f"the tool {call.tool}", "it is not there", remedy)
        if complaint := tool.complaint(call.args):
            raise InputError(f"arguments of {call.tool}", complaint, "Correct them.")
        if call.photo >= len(run.views):
            raise InputError(f"photo {call.photo + 1}", f"{len(run.views)} photos", "Name one of these.")
