"""The tables of a run: the one asked for, or of all those that can be made, with why the others cannot."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.ablations.arm import Ablation
from geosleuth.training.evaluate.ablations.look_alikes import TABLE as LOOK_ALIKES
from geosleuth.training.evaluate.ablations.query import Query
from geosleuth.training.evaluate.ablations.run import check_prior, makeable
from geosleuth.training.evaluate.ablations.tables import TABLES, table_named
from geosleuth.training.evaluate.ablations.twins import read_twins, unmatched_note, with_twins

if TYPE_CHECKING:
    from geosleuth.training.evaluate.ablations.setup import Setup

logger = logging.getLogger(__name__)


class Alike(NamedTuple):
    """Queries that have a twin, and a note on rows of the manifest that name no query."""

    queries: list[Query]
    note: str


@dataclass
class Chosen:
    """Tables to make. What is asked for by name says itself why it cannot be made; of all, it is left out."""

    named: str | None  # None of all
    tables: list[Ablation]
    left_out: list[tuple[str, str]] = field(default_factory=list)  # by name, and why

    @classmethod
    def of(cls, name: str, *, prior: bool, twins: bool) -> Chosen:
        """Choose by name, or "all", before anything is loaded.

        Raises:
            InputError: There is no such table, or what it needs was not named.
        """
        if name != "all":
            if name == LOOK_ALIKES.name and not twins:
                raise InputError("a manifest of look-alikes", "no --twins", "Name a CSV of file, twin_lat, twin_lon.")
            one = table_named(name)
            check_prior([one], given=prior)
            return cls(name, [one])
        chosen = cls(None, list(TABLES.values()))
        chosen._leave_out((one.name, "it needs --prior") for one in TABLES.values() if one.needs_prior and not prior)
        chosen._leave_out([] if twins else [(LOOK_ALIKES.name, "it needs --twins")])
        return chosen

    def with_twins(self, queries: Sequence[Query], manifest: Path | None) -> Alike:
        """Give the queries their twins, if look-alikes are to be made.

        Raises:
            InputError: The manifest cannot be used, or no query is in it and the table was asked for by name.
        """
        if manifest is None or LOOK_ALIKES not in self.tables:
            return Alike([], "")
        twins = read_twins(manifest)
        try:
            known = with_twins(queries, twins)
        except InputError as error:
            if self.named is not None:
                raise
            self._leave_out([(LOOK_ALIKES.name, f"wanted {error.wanted}, found {error.found}")])
            return Alike([], "")
        note = unmatched_note(known, twins)
        if note:
            logger.warning("%s", note)
        return Alike(known, note)

    def fit(self, setup: Setup) -> None:
        """Leave out what the gallery is unfit for.

        Raises:
            InputError: The table was asked for by name, and the gallery is unfit.
        """
        if self.named is not None:
            for one in self.tables:
                one.check(setup)
        self._leave_out(makeable(self.tables, setup)[1])

    def _leave_out(self, some: Iterable[tuple[str, str]]) -> None:
        for name, why in some:
            logger.warning("The table %s is left out: %s", name, why)
            self.left_out.append((name, why))
            self.tables = [one for one in self.tables if one.name != name]
