"""Many photos: what each comes to is yielded as it is done, kept in a journal, and written as a table at the end."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.agent.batch.crew import Crew
from geosleuth.agent.batch.fingerprint import fingerprint, goes_by_name, photo_key
from geosleuth.agent.batch.journal import SUFFIX, Journal
from geosleuth.agent.batch.listing import Paths, content_sha256, listed
from geosleuth.agent.batch.outcome import Outcome, Row
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.paths import absolute
from geosleuth.indexes.photo_file import file_name

if TYPE_CHECKING:
    import geopandas as gpd

    from geosleuth.agent.agent import Agent

logger = logging.getLogger(__name__)

Hints = str | Sequence[str] | Mapping[str | Path, str | Sequence[str]] | None
_Place = tuple[int, Path]  # number in the listing, file


@dataclass(frozen=True)
class _Flight:
    """A content that is being looked at."""

    key: str
    sha256: str
    places: list[_Place]  # the files that have it; all get what it comes to


class Batch:
    """An iterator of `Row`s as photos are done. Use it as a context, or to its end: then workers and files are let go.

    Args:
        agent: Made of settings alone, it is made anew in each worker; else it works here, one photo at a time.
        paths: Files, folders, or an iterable of them, which is read no further than needed.
        hints: For all photos, or by path for some.
        workers: Processes; None: one per core, and one where a model of weights runs on this machine.
        out: A table to write when all is done: .parquet, .csv or .geojson. Of an interrupted batch it has the rows so
            far, unless an earlier run has left a table. Beside it, `OUT.journal` holds what is done.
        resume: Whether what the journal holds is taken from it.

    Raises:
        InputError: A hint that nobody understands, an output of unknown form, or one that another batch is writing.
    """

    def __init__(
        self,
        agent: Agent,
        paths: Paths,
        *,
        hints: Hints = None,
        workers: int | None = None,
        out: str | Path | None = None,
        resume: bool = True,
    ) -> None:
        from geosleuth.agent.batch.table import check_output

        self._paths = paths
        self._hints = _HintsOf(hints)
        self._deciding = fingerprint(agent)
        self._by_name = goes_by_name(agent)
        self._crew = Crew(agent, workers)
        self.out = None if out is None else absolute(out, "an output")
        beside = None
        if self.out is not None:
            beside = self.out.with_name(self.out.name + SUFFIX)
            check_output(self.out, beside)
        self._journal = Journal(beside, resume=resume)
        self._table: dict[int, dict[str, Any]] = {}  # by number in the listing
        self._flying: dict[Future[Outcome], _Flight] = {}
        self._rows = self._run()

    @property
    def workers(self) -> int:
        """How many photos are looked at at once."""
        return self._crew.workers

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        return next(self._rows)

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, and write the rows so far where there is no table yet; what is done stays in the journal."""
        self._rows.close()
        self._crew.close()  # where no row was ever asked for
        self._journal.close()

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """Run to the end; return all rows in the order of the listing, WGS 84, with `answer_row`'s columns."""
        from geosleuth.agent.export import rows_to_geodataframe

        for _ in self:
            pass
        return rows_to_geodataframe(self._ordered())

    def _ordered(self) -> list[dict[str, Any]]:
        return [self._table[number] for number in sorted(self._table)]

    def _run(self) -> Generator[Row, None, None]:
        whole = False
        try:
            yield from self._all()
            whole = True
            self._hints.tell_unused()
        finally:
            self._crew.close()
            try:
                self._write(whole=whole)
            finally:
                self._journal.close()

    def _write(self, *, whole: bool) -> None:
        """Write the table; the rows of an interrupted run never take the place of those of the run before it."""
        if self.out is None or not self._table:
            return
        if not whole and self.out.exists():
            logger.warning("Interrupted: %s is left as the run before wrote it", self.out)
            return
        from geosleuth.agent.batch.table import write_table

        write_table(self._ordered(), self.out)

    def _all(self) -> Iterator[Row]:
        for number, (path, trouble) in enumerate(listed(self._paths)):
            if trouble is not None:
                yield self._refused((number, path), trouble)
                continue
            yield from self._take((number, path))
            while len(self._flying) >= self._crew.enough:
                yield from self._landed()
        while self._flying:
            yield from self._landed()

    def _take(self, place: _Place) -> Iterator[Row]:
        """Answer from the journal, join an equal file that is being looked at, or have the photo looked at."""
        path = place[1]
        try:
            sha256 = content_sha256(path)
        except InputError as error:
            yield self._refused(place, error)
            return
        hints = self._hints[path]
        key = photo_key(sha256, self._deciding, hints, file_name(path) if self._by_name else None)
        known = self._journal.get(key)
        if known is not None:
            yield self._row(place, sha256, known, resumed=True)
            return
        for flight in self._flying.values():
            if flight.key == key:
                flight.places.append(place)
                return
        self._flying[self._crew.submit(path, sha256, hints)] = _Flight(key, sha256, [place])

    def _landed(self) -> Iterator[Row]:
        """Wait for a photo, and keep what came of it before anybody hears of it."""
        done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
        rows = [row for future in done for row in self._kept(future)]
        yield from rows

    def _kept(self, future: Future[Outcome]) -> Iterator[Row]:
        flight = self._flying.pop(future)
        outcome = future.result()
        if not outcome.passing:
            self._journal.put(flight.key, outcome)
        for number, place in enumerate(flight.places):
            yield self._row(place, flight.sha256, outcome, resumed=number > 0)

    def _refused(self, place: _Place, error: InputError) -> Row:
        return self._row(place, None, Outcome(refused=(error.wanted, error.found, error.remedy)))

    def _row(self, place: _Place, sha256: str | None, outcome: Outcome, *, resumed: bool = False) -> Row:
        number, path = place
        row = Row.of(path, sha256, outcome, resumed=resumed)
        self._table[number] = row.as_table_row()
        return row


class _HintsOf:
    """The hints of each photo; all are understood before the first photo is looked at."""

    def __init__(self, given: Hints) -> None:
        from geosleuth.tools.hints import hint_evidence

        self._by_path = {Path(key): _tuple(value) for key, value in given.items()} if isinstance(given, Mapping) else {}
        self._for_all = () if isinstance(given, Mapping) else _tuple(given)
        self._unused = set(self._by_path)
        for text in {*self._for_all, *(text for texts in self._by_path.values() for text in texts)}:
            hint_evidence(text)

    def __getitem__(self, path: Path) -> tuple[str, ...]:
        self._unused.discard(path)
        return self._by_path.get(path, self._for_all)

    def tell_unused(self) -> None:
        """Warn of paths that were none of the photos'."""
        if self._unused:
            some = ", ".join(repr(str(path)) for path in sorted(self._unused)[:3])
            logger.warning("Hints for %d photos that are none of this batch", len(self._unused))
            logger.info("Among them are %s", some)


def _tuple(hints: str | Sequence[str] | None) -> tuple[str, ...]:
    return (hints,) if isinstance(hints, str) else tuple(hints or ())
