"""What a vision-language model is taught with: conversations whose assistant turns it learns to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from geosleuth.tools.vlm.model import Turn


@dataclass(frozen=True, eq=False)
class Lesson:
    """One conversation: every assistant turn is learned, everything else is read.

    The turns before an answer are those of the tool's own prompt (`georeasoner_reply.prompt`, `gleam_x.match_prompt`),
    so that an adapter is asked as it was taught.
    """

    turns: tuple[Turn, ...]


class Lessons(Protocol):
    """A source of lessons; a picture is decoded when its lesson is asked for, perhaps in another process."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Lesson:
        """Return a lesson.

        Raises:
            InputError: A picture cannot be read: the engine leaves the lesson out, counts it and says so.
        """

    def about(self) -> Mapping[str, Any]:
        """Say where the lessons are from, how many, and what was skipped and why, as JSON for the run's record."""
