"""report.json of an evaluation of the agent: its figures, and every photo's row, so that two runs compare."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from geosleuth.indexes import errors
from geosleuth.indexes.json_file import read_json
from geosleuth.training.evaluate.agent.measures import confidences, judged, measures, named_right
from geosleuth.training.evaluate.agent.regions import by_region
from geosleuth.training.evaluate.agent.scored import Scored
from geosleuth.training.evaluate.vlm.intervals import Figure
from geosleuth.training.evaluate.vlm.reliability import Bin, bins_of

REPORT_FILE = "report.json"
_REMEDY = "Name the report.json that `geosleuth evaluate agent --out FOLDER` wrote."


def commit() -> str | None:
    """Return the commit of the checkout that this package runs from, with "+" where files were changed."""
    here = Path(errors.__file__).resolve()
    git = ["git", "-C", str(here.parent)]
    try:
        # Tracked there: else an environment inside somebody's repository would have that one's commit.
        for command in (
            ["ls-files", "--error-unmatch", here.name],
            ["describe", "--always", "--abbrev=12", "--dirty=+"],
        ):
            found = subprocess.run([*git, *command], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _ours() -> str:
    return version("geosleuth")


class AgentReport(BaseModel):
    """The content of report.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    task: Literal["agent", "prior alone"] = "agent"
    """Prior alone: the recorded model's own answers, without tools or belief."""
    data: str
    """Name of the data set."""
    settings: dict[str, JsonValue]
    """All that were resolved, and the options of the run."""
    photos: int
    measures: dict[str, Figure]
    regions: dict[str, dict[str, Figure]]
    """By region of the world, see regions.py."""
    counts: dict[str, int]
    """Photos of each region."""
    reliability: list[Bin]
    """Of the named country's probability; all are empty where no answer has one."""
    failures: dict[str, int]
    """In how many photos a tool did not take part, by what it said."""
    skipped: tuple[tuple[str, str], ...] = ()
    """What the data set left out when it was opened, and why."""
    notes: tuple[str, ...] = ()
    """What a reader must know beside the figures."""
    rows: tuple[Scored, ...]
    made_at: str = Field(default_factory=_now)
    version: str = Field(default_factory=_ours)
    commit: str | None = Field(default_factory=commit)

    @property
    def prior(self) -> str:
        """Who guessed first: a spec."""
        backends = self.settings.get("backends")
        return str(backends.get("prior", "")) if isinstance(backends, dict) else ""


def report_of(
    scored: Sequence[Scored],
    data: str,
    settings: Mapping[str, JsonValue],
    *,
    alone: bool = False,
    failures: Mapping[str, int] | None = None,
    skipped: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
) -> AgentReport:
    """Put a run into the form of report.json; `alone` is a recorded model without the agent."""
    known = judged(scored)
    regions = by_region(scored)
    return AgentReport(
        task="prior alone" if alone else "agent",
        data=data,
        settings=dict(settings),
        photos=len(scored),
        measures=measures(scored),
        regions={name: measures(rows) for name, rows in regions.items()},
        counts={name: len(rows) for name, rows in regions.items()},
        reliability=bins_of(confidences(scored)[known], named_right(scored)[known]),
        failures=dict(failures or {}),
        skipped=tuple(skipped),
        notes=tuple(notes),
        rows=tuple(scored),
    )


def read_report(path: Path) -> AgentReport:
    """Read report.json, or that of a report's folder.

    Raises:
        InputError: It is missing or something else.
    """
    path = path / REPORT_FILE if path.is_dir() else path
    return read_json(path, AgentReport, "the report of another run to compare with", _REMEDY)
