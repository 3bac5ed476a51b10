"""What all people on one server share: settings, the agent, and the queue of its runs. Nothing of anybody's case."""

from __future__ import annotations

import functools
import gc
import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geosleuth.agent.agent import Agent
from geosleuth.agent.settings import Backends, Settings, load_settings
from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.runs import Runs

if TYPE_CHECKING:
    from pathlib import Path

    from geosleuth.agent.belief import Belief
    from geosleuth.agent.cases.store import CaseStore
    from geosleuth.agent.localization import Localization

logger = logging.getLogger(__name__)

_lock = threading.Lock()


@dataclass(frozen=True)
class Server:
    """Shared by the sessions of all browsers; an agent answers many photos."""

    settings: Settings
    agent: Agent
    runs: Runs
    _stores: dict[str, CaseStore] = field(default_factory=dict)  # by owner
    _warm: threading.Event = field(default_factory=threading.Event)
    _warming: threading.Lock = field(default_factory=threading.Lock)

    @property
    def warm(self) -> bool:
        """Whether a first photo would be answered at once."""
        return self._warm.is_set()

    def begin_warm_up(self) -> None:
        """Warm up in the background, unless that is done or on its way; the page need not wait.

        From now on photos are decoded in processes of their own: one that harms its decoder ends no other's case.
        """
        if not self.warm and not self._warming.locked():
            from geosleuth.indexes.decoding_apart import decode_apart

            decode_apart()
            threading.Thread(target=self.warm_up, name="warm-up", daemon=True).start()

    def warm_up(self) -> None:
        """Load tables, readers and the gallery, with a drawn scene that leaves no trace; once, however often called.

        Models of other roles load when the first photo needs them: minutes, that nobody may be waiting for.
        """
        with self._warming:
            if self.warm:
                return
            try:
                from geosleuth.ui.demo_scene import draw_scene

                embedded = Settings(
                    backends=Backends(), cache_dir=self.settings.cache_dir
                )  # without audit log and index
                _draw(
                    Agent(embedded, start=functools.partial(_start, self.settings.calibration)).localize(draw_scene())
                )
                _ = self.agent.references
            except InputError as error:  # the first run says it to a person
                kind = type(error).__name__
                logger.warning("The warm-up failed (%s): `geosleuth doctor`, or the first photo, says why", kind)
                logger.debug("Trace of the warm-up", exc_info=True)
            finally:
                # Streamlit collects garbage after each run of a page, and a page that watches a run is run three times
                # a second: each time all the objects of tables and libraries would be looked through. What a
                # page holds in a cycle just now is kept for good; that happens once.
                gc.collect()
                gc.freeze()
                self._warm.set()

    def store(self, owner: str) -> CaseStore:
        """Open the cases of one person."""
        from geosleuth.agent.cases.store import CaseStore

        with _lock:  # one store per person: under a precision cap it holds what may not go to the disk
            if owner not in self._stores:
                self._stores[owner] = CaseStore.of(self.settings, owner)
            return self._stores[owner]


def the_server(settings_file: str | None, cases_dir: str | None) -> Server:
    """Return the server of these settings; made on the first call.

    Raises:
        InputError: The settings cannot be.
    """
    with _lock:  # two browsers that come at once must not load two agents
        return _made(settings_file, cases_dir)


@functools.cache
def _made(settings_file: str | None, cases_dir: str | None) -> Server:
    from geosleuth.agent.cases.retention import sweep

    settings = load_settings(settings_file, arguments={"cases_dir": cases_dir})
    gone = sweep(settings.cases_dir, settings.retention_days, audit_log=settings.audit_log)
    if gone:
        logger.warning("Deleted %d cases that nobody has touched for %s days", len(gone), settings.retention_days)
    return Server(settings, Agent(settings, start=functools.partial(_start, settings.calibration)), Runs())


def _draw(answer: Localization) -> None:
    """Draw an answer for nobody: loading the libraries and the map of the world takes two seconds."""
    from geosleuth.ui.view.belief import bars
    from geosleuth.ui.view.colours import LIGHT
    from geosleuth.ui.view.map import deck

    deck(answer, LIGHT).to_json()
    bars(list(answer.countries), LIGHT).to_dict()


@functools.cache
def _start(calibration: Path | None) -> Belief:
    """The belief before any evidence; it is never changed, so that all photos begin with the same."""
    from geosleuth.agent.belief import Belief
    from geosleuth.agent.calibration import load_calibration

    return Belief.start(load_calibration(calibration))
