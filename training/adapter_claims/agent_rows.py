"""Agents that differ in their backends alone, asked about the same photos; what came of each photo is kept."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.indexes.geodesy import geodesic_km
from geosleuth.training.adapter_claims.agent_material import AgentPhoto, Kind
from geosleuth.training.adapter_claims.agent_verifier import shows
from geosleuth.training.evaluate.vlm.answer_file import Answered, AnswerFile, answer_key

if TYPE_CHECKING:
    from geosleuth.agent.agent import Agent
    from geosleuth.agent.localization import Localization

logger = logging.getLogger(__name__)

_SECONDS = 3600.0  # a photo may take: a busy machine must not decide how much of it is looked at


@dataclass(frozen=True)
class AgentArm:
    """An agent: a column of the table."""

    name: str
    kind: Kind
    index: Path
    prior: str = "embedded"  # spec
    verifier: str = "embedded"  # spec
    calibration: str = ""  # of the verifier, as JSON: another one makes another answer

    def agent(self) -> Agent:
        """Make it; models load when they are first asked.

        Raises:
            InputError: The index is not there.
        """
        from geosleuth.agent.agent import Agent
        from geosleuth.agent.settings import Backends, Settings

        backends = Backends(prior=self.prior, gleam_x=self.verifier)
        return Agent(Settings(index=str(self.index), backends=backends, max_seconds=_SECONDS))


class AgentRow(Answered):
    """What one agent made of one photo."""

    file: str
    place: str
    """Its town: photos of one town share its looks, and are no independent witnesses."""
    truth: str
    """ISO 3166-1 alpha-2."""
    status: str
    country: str
    """The belief's likeliest, in which its point lies, whatever the status."""
    probability: float
    """Of the true country."""
    error_km: float
    """From the belief's point, whatever the status."""
    in_90: bool
    """The place lies in the 90 % region."""
    seconds: float
    judged: int
    """Tiles that the verifier gave a verdict on."""
    true_judged: int
    """Of them, those that show the place."""
    said_yes: int
    true_yes: int
    """Matches among those that show the place."""


def agent_rows(
    arms: Sequence[AgentArm], photos: Mapping[Kind, Sequence[AgentPhoto]], folder: Path, processes: int
) -> list[list[AgentRow]]:
    """Ask every agent about the photos of its kind, a row for each photo in their order.

    Raises:
        InputError: An index, a model or a photo cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{arm.kind}-{number}.jsonl" for number, arm in enumerate(arms)]
    own = [photos[arm.kind] for arm in arms]
    if processes == 1:
        return [_asked(*one) for one in zip(arms, own, files, strict=True)]
    told = partial(logging.basicConfig, level=logging.getLogger().level, format="%(message)s")
    with _a_thread_each(), ProcessPoolExecutor(processes, get_context("spawn"), initializer=told) as pool:
        return list(pool.map(_asked, arms, own, files))


@contextmanager
def _a_thread_each() -> Iterator[None]:
    """Have the processes that begin meanwhile compute with one thread: numeric libraries read so as they load."""
    from geosleuth.agent.batch.threads import thread_environment

    before, wanted = dict(os.environ), thread_environment(1)
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name in wanted:
            del os.environ[name]
        os.environ.update(before)


def _asked(arm: AgentArm, photos: Sequence[AgentPhoto], kept: Path) -> list[AgentRow]:
    from geosleuth.agent.batch.fingerprint import fingerprint

    agent = arm.agent()
    deciding, rows = fingerprint(agent), AnswerFile(kept, AgentRow)
    keys = []
    for photo in photos:
        sha256 = hashlib.sha256(photo.path.read_bytes()).hexdigest()
        keys.append(answer_key(deciding, [sha256], arm.calibration, photo.file))
        if keys[-1] not in rows:
            rows.add(_row(keys[-1], agent, photo))
            logger.info("%s, %s: %d of %d photos", arm.kind, arm.name, len(keys), len(photos))
    return [rows[key] for key in keys]


def _row(key: str, agent: Agent, photo: AgentPhoto) -> AgentRow:
    session = agent.session(photo.path)
    answer = next(step.localization for step in list(session.ask()) if step.localization is not None)
    belief, _ = session.weighed()  # the answer has no point where the status is not_locatable
    shares = belief.country_probabilities()
    at = np.array([photo.position.lat]), np.array([photo.position.lon])
    return AgentRow(
        key=key,
        file=photo.file,
        place=str(photo.town),
        truth=photo.country,
        status=answer.status,
        country=next(iter(shares)),
        probability=shares.get(photo.country, 0.0),
        error_km=geodesic_km(belief.point(), photo.position),
        in_90=bool(belief.log_density(*at)[0] >= belief.log_threshold(0.9)),
        seconds=answer.seconds,
        **_verdicts(answer, photo),
    )


def _verdicts(answer: Localization, photo: AgentPhoto) -> dict[str, int]:
    """Count the verifier's verdicts; the answer lists as many candidates as it was asked about."""
    said = [
        (shows(one, photo), one.judgement.verdict == "match")
        for one in answer.candidates
        if one.judgement is not None and one.judgement.verdict != "unreadable"
    ]
    return {
        "judged": len(said),
        "true_judged": sum(true for true, _ in said),
        "said_yes": sum(yes for _, yes in said),
        "true_yes": sum(true and yes for true, yes in said),
    }
