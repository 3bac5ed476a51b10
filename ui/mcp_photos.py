"""Which photos an assistant may name, and what the tools have found so far in those that it opened."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.agent.investigation import Investigation
    from geosleuth.agent.localization import TraceStep
    from geosleuth.agent.state import AgentState
    from geosleuth.agent.toolbox import Finding, Tool

MOST_OPEN = 8  # photos; of 12 MP each, decoded, they take 300 MB
BY = "mcp"  # stands in TraceStep.by: another assistant asked
_WANTED = "a photo in a folder that this server may read"


@dataclass(frozen=True)
class PhotoFolders:
    """The folders that were named at the start; nothing outside of them is opened, or said to be there."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, folders: Sequence[Path]) -> PhotoFolders:
        """Resolve the folders once: what a link among them points to is decided at the start.

        Raises:
            InputError: One of them is no folder.
        """
        for folder in folders:
            if not folder.is_dir():
                found = f"a file: {folder}" if folder.exists() else f"nothing: {folder}"
                raise InputError("a folder of photos", found, "Name an existing folder with --photos.")
        return cls(tuple(folder.resolve() for folder in folders))

    def find(self, path: str) -> Path:
        """Return where a photo really lies; a relative path is looked for in each folder.

        Raises:
            InputError: It lies outside, itself or by a link, or is not there.
        """
        places = [self._inside(folder / path) for folder in self.folders]  # an absolute path replaces the folder
        inside = [place for place in places if place is not None]
        if not inside:
            # The same words whether it exists or not: nobody is to learn by asking what lies elsewhere.
            remedy = "Name a photo in one of the folders, or start `geosleuth mcp --photos FOLDER` with its folder."
            raise InputError(_WANTED, f"a path that leads outside of them: {path}", remedy)
        there = [place for place in inside if _is_file(place)]
        if not there:
            raise InputError(_WANTED, f"no such file there: {path}", "Check the path.")
        return there[0]

    def _inside(self, path: Path) -> Path | None:
        try:
            real = path.resolve()
        except (OSError, RuntimeError, ValueError):  # links in a circle, a name too long, a zero byte
            return None
        return real if any(real.is_relative_to(folder) for folder in self.folders) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long: "data:image/png;base64,..."
        return False


@dataclass
class OpenPhoto:
    """One photo, and what calls about it share: the same state as in one run of the agent, with no planner."""

    run: Investigation
    state: AgentState

    @classmethod
    def of(cls, run: Investigation) -> OpenPhoto:
        """Begin with what the hints say."""
        return cls(run, {"found": run.found(0, run.stated, None), "trace": []})

    def call(self, tool: Tool, args: dict[str, Any]) -> tuple[TraceStep, Finding]:
        """Run a tool, and keep what it found for the next ones."""
        from geosleuth.agent.state import PendingCall
        from geosleuth.agent.tool_run import looked, run_tool, with_findings

        trace = self.state["trace"]
        step, finding = run_tool(
            self.run, self.state, tool, PendingCall(name=tool.name, args=args, by=BY), len(trace) + 1
        )
        if not step.ok:
            return step, finding
        self.state |= {
            "found": with_findings(self.state, self.run, step, finding),
            "looks": looked(self.state, finding),
            "trace": [*trace, step],
        }
        return step, finding


@dataclass(frozen=True)
class OpenPhotos:
    """The photos that are open, the newest `MOST_OPEN` of them."""

    _photos: dict[str, OpenPhoto] = field(default_factory=dict)

    def add(self, opened: OpenPhoto) -> str:
        """Return the id by which calls name the photo."""
        while len(self._photos) >= MOST_OPEN:
            del self._photos[next(iter(self._photos))]
        name = f"photo-{secrets.token_hex(4)}"
        self._photos[name] = opened
        return name

    def get(self, name: str) -> OpenPhoto:
        """Return an open photo.

        Raises:
            InputError: There is none of that id.
        """
        if name not in self._photos:
            found = f"{name!r}, which is not open"
            raise InputError(
                "the id of an open photo", found, "Call open_photo first, and pass on the id that it returns."
            )
        return self._photos[name]
