"""`geosleuth batch FOLDER --out results.parquet`: a row for every photo of a folder.

Exit codes: 0 a row for each photo, failures counted; 2 bad input or no photo; 130 interrupted, and resumable.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.options import Hints, IndexPlace, PriorSpec, SettingsFile, Verbose
from geosleuth.ui.progress_line import ProgressLine, duration
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.agent.batch.many import Batch
    from geosleuth.agent.batch.outcome import Row

_INTERRUPTED = "Interrupted. What is done is kept; the same command goes on from here."
_SHOWN_FAILURES = 5  # enough to see what is wrong with a folder; the table has all
_STATES = {"localized": "localized", "coarse": "coarse", "not_locatable": "not locatable", "failed": "failed"}


def batch(
    photos: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders of photos, or photos.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The table: .parquet, .csv or .geojson.")],
    hint: Hints = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes; one per core, or one with models of weights.")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Look at all photos again, whatever was done.")] = False,
    settings: SettingsFile = None,
    prior: PriorSpec = None,
    index: IndexPlace = None,
    verbose: Verbose = False,
) -> None:
    """Say of every photo in a folder where it was taken; interrupted or killed, the same command resumes."""
    with exits(_INTERRUPTED), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.agent.settings import load_settings

            resolved = load_settings(settings, arguments={"backends.prior": prior, "index": index})
            total = _count(photos)
            from geosleuth.agent.agent import Agent

            many = Agent(resolved).localize_many(photos, hints=hint, workers=workers, out=out, resume=not anew)
            tally = _Tally(total)
            line = _PhotosLine()
            with many, line:
                line.show(tally, many)
                for row in many:
                    tally.add(row)
                    line.show(tally, many)
        sys.stdout.write(tally.report(out))
        sys.stdout.flush()


class _Tally:
    """Counts what the photos come to."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.states: Counter[str] = Counter()
        self.resumed = 0
        self.failures: list[str] = []
        self._started = time.monotonic()

    @property
    def done(self) -> int:
        return self.states.total()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    @property
    def rate(self) -> float | None:
        """Photos per second that were looked at in this run; None before the first."""
        fresh = self.done - self.resumed
        return fresh / self.seconds if fresh and self.seconds > 0 else None

    def add(self, row: Row) -> None:
        """Count one photo."""
        self.states[row.localization.status if row.localization else "failed"] += 1
        self.resumed += row.resumed
        if row.error is not None and len(self.failures) < _SHOWN_FAILURES:
            self.failures.append(f"{row.path}: wanted {row.error.wanted}; found {row.error.found}. {row.error.remedy}")

    def words(self) -> str:
        """Say how far the batch is."""
        parts = [f"{self.done:,} of {self.total:,} photos ({self.done / max(self.total, 1):.0%})"]
        if self.states["failed"]:
            parts.append(f"{self.states['failed']:,} failed")
        if self.rate is not None:
            parts.append(f"{self.rate:,.2f} photos/s")
            if self.done < self.total:
                parts.append(f"{duration((self.total - self.done) / self.rate)} left")
        return ", ".join(parts)

    def report(self, out: Path) -> str:
        """Say what a batch came to, for a person."""
        from geosleuth.agent.printable import printable

        rate = f", {self.rate:,.2f} photos/s" if self.rate is not None else ""
        lines = [f"{out}: {self.done:,} photos in {duration(self.seconds)}{rate}"]
        lines.append("  " + ", ".join(f"{self.states[key]:,} {words}" for key, words in _STATES.items()))
        if self.resumed:
            lines.append(f"  {self.resumed:,} needed no work: done by an earlier run, or equal to another file")
        lines += [f"  failed: {failure}" for failure in self.failures]
        if self.states["failed"] > len(self.failures):
            lines.append("  and more: the column `error` has them all")
        return "\n".join(map(printable, lines)) + "\n"


class _PhotosLine(ProgressLine):
    """The progress line, for photos that take a second each rather than a millisecond."""

    def show(self, tally: _Tally, many: Batch) -> None:
        """Draw how far the batch is."""
        words = tally.words() if tally.done else f"{tally.total:,} photos, {many.workers} at once"
        self.draw("photos", words, whole=tally.done == tally.total)


def _count(photos: list[Path]) -> int:
    """Count the photos to come; a name that is mistyped is an error at once, and not a row.

    Raises:
        InputError: Something that was named is not there, or there is no photo at all.
    """
    from geosleuth.agent.batch.listing import listed
    from geosleuth.indexes.gallery.paths import absolute
    from geosleuth.indexes.photo_file import refused_address

    wanted, save = "a folder of photos", "Save the photos, and give the path of their folder."
    for path in photos:
        if (refused := refused_address(path, wanted, save)) is not None:
            raise refused
        if not absolute(path, wanted).exists():
            raise InputError(wanted, f"no such folder or file: {path}", "Check the path.")
    total = sum(1 for _ in listed(photos))
    if not total:
        found = f"none in {', '.join(map(str, photos))}"
        raise InputError("photos", found, "Name the folder that holds them; hidden files and folders are passed over.")
    return total
