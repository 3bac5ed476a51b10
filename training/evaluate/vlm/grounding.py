"""Whether explanations depend on the pictures, by two tests that need no reference explanation.

Lists: every feature named is looked up in what the two pictures show.

- precision: share of the named features that one of the two pictures shows; the others are hallucinated.
- agreeing, in both: share of the features named as agreeing that both show.
- disagreeing, in one: share of those named as disagreeing that exactly one of the two shows.
- recall: share of all that the two pictures show that is named; up to six features are asked for, so 1 is out of reach.

Swap: the tile is replaced by another one with the same verdict, and the model is asked for its reasons again. The
verdict stays the same, so whatever changes is due to the picture. What was named as agreeing and is not on the new tile
must not be named as agreeing any more, and what else neither the query nor the new tile shows must not be named at all:
`kept` is the share of these that still are. A model that writes from the verdict alone keeps all. (Of a match whose
place has one tile the query is replaced, by another picture of the place.)
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Language
from geosleuth.tools.vlm.model import UnavailableError
from geosleuth.training.evaluate.vlm.answer_file import OnAsked
from geosleuth.training.evaluate.vlm.intervals import Statistic, mean, share

if TYPE_CHECKING:
    from geosleuth.training.evaluate.vlm.listers import Features, Lister
    from geosleuth.training.evaluate.vlm.verifier import Asker, Written
    from geosleuth.training.gleam_x.record import PairRecord

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Named:
    """What an explanation names, by where it says it."""

    agreeing: Features
    disagreeing: Features
    elsewhere: Features  # in the conclusion

    @property
    def all(self) -> Features:
        """Wherever."""
        return self.agreeing | self.disagreeing | self.elsewhere


class GroundingRow(BaseModel):
    """One pair's explanation against its pictures, and after the swap."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    lang: Language
    query: str
    named: int
    """Features."""
    shown: int
    """Of these, in one of the two pictures at least."""
    agreeing: int
    agreeing_in_both: int
    disagreeing: int
    disagreeing_in_one: int
    there: int | None
    """All that the two pictures show; None where no list says so."""
    swapped: str | None
    """The new picture; None where there is none with the same verdict, or the new reasons cannot be read."""
    must_go: int
    kept: int
    same_text: bool
    """Word for word the same explanation after the swap."""


@dataclass(frozen=True)
class Grounded:
    """Rows, and why pairs have none or no swap."""

    rows: tuple[GroundingRow, ...]
    left_out: dict[str, int]


def ground(
    records: Sequence[PairRecord],
    asker: Asker,
    lister: Lister,
    *,
    on_asked: OnAsked | None = None,
) -> Grounded:
    """Check the explanation of each pair's true verdict, and swap one of its pictures.

    Raises:
        UnavailableError: The server does not answer any more; what it answered before is kept.
    """
    swaps, rows, left_out = swaps_of(records), [], Counter[str]()
    for number, record in enumerate(records, start=1):
        try:
            row = _row(record, swaps.get(record.pair_id), asker, lister)
        except UnavailableError:
            raise
        except InputError as error:
            logger.warning("Pair %s is not checked: see that its pictures are there, and whole", record.pair_id)
            logger.debug("Why: %s", error)
            left_out["a picture or an answer that cannot be had"] += 1
        else:
            if row is None:
                left_out["an explanation that cannot be read"] += 1
            else:
                rows.append(row)
                if record.pair_id not in swaps:
                    left_out["no other picture with the same verdict: no swap"] += 1
                elif row.swapped is None:
                    left_out["after the swap an explanation that cannot be read"] += 1
        if on_asked:
            on_asked(number, len(records))
    return Grounded(tuple(rows), dict(left_out))


def swaps_of(records: Sequence[PairRecord]) -> dict[str, PairRecord]:
    """The pair that each pair is swapped with, of the same verdict: pair_id -> the record with its new picture.

    Of a match the new picture is another tile that is recorded as a match of the same query, else another query that is
    recorded as a match of the same tile: another picture of the place. Of another pair it is a tile that is recorded as
    wrong for the same query, else the next query's true tile that is not recorded as a match of this one.
    """
    matches: dict[str, list[str]] = {}
    wrong: dict[str, list[str]] = {}
    shown_from: dict[str, list[PairRecord]] = {}  # by tile: the matches that look at it
    for record in records:
        side = matches if record.label == "match" else wrong
        side.setdefault(record.query_path, []).append(record.satellite_path)
        if record.label == "match":
            shown_from.setdefault(record.satellite_path, []).append(record)
    true_tiles = list(dict.fromkeys(tile for tiles in matches.values() for tile in tiles))
    found: dict[str, PairRecord] = {}
    for record in records:
        own = matches.get(record.query_path, [])
        if record.label == "match":
            candidates = own
        else:
            strangers = [tile for tile in _from(true_tiles, record.satellite_path) if tile not in own] if own else []
            candidates = [*wrong[record.query_path], *strangers]
        tile = next((tile for tile in candidates if tile != record.satellite_path), None)
        others = (one for one in shown_from.get(record.satellite_path, []) if one.query_path != record.query_path)
        query = next(others, None) if record.label == "match" else None
        if tile is not None:
            found[record.pair_id] = record.model_copy(update={"satellite_path": tile})
        elif query is not None:
            seen = {name: getattr(query, name) for name in ("query_path", "query_view", "query_modality")}
            found[record.pair_id] = record.model_copy(update=seen)
    return found


def _from(tiles: Sequence[str], start: str) -> Sequence[str]:
    """All tiles, those after `start` first, so that not every pair gets the same one."""
    at = tiles.index(start) if start in tiles else sum(map(ord, start)) % max(len(tiles), 1)
    return [*tiles[at:], *tiles[:at]]


def named_by(written: Written, language: Language, lister: Lister) -> Named:
    """Find the features that an explanation names."""
    agreeing = _of_lines(written.agreeing, language, lister)
    disagreeing = _of_lines(written.disagreeing, language, lister)
    # A second look takes a line for a feature, and a conclusion is no feature.
    elsewhere = lister.named(written.conclusion, language) if lister.lists_all else frozenset()
    return Named(agreeing, disagreeing, elsewhere)


def _of_lines(lines: Sequence[str], language: Language, lister: Lister) -> Features:
    return frozenset(feature for line in lines for feature in lister.named(line, language))


def _row(record: PairRecord, swap: PairRecord | None, asker: Asker, lister: Lister) -> GroundingRow | None:
    query, tile = asker.root / record.query_path, asker.root / record.satellite_path
    written = asker.reasons(record, record.label).written
    if written is None:
        return None
    named = named_by(written, record.lang, lister)
    one, two = lister.shown(query, named.all), lister.shown(tile, named.all)
    there = len(lister.all_of(query) | lister.all_of(tile)) if lister.lists_all else None
    must_go, kept, same, swapped = 0, 0, False, None
    again = asker.reasons(swap.model_copy(update={"lang": record.lang}), record.label).written if swap else None
    if swap and again is not None:
        of_tile = swap.satellite_path != record.satellite_path
        swapped = swap.satellite_path if of_tile else swap.query_path
        stays, new = one if of_tile else two, lister.shown(asker.root / swapped, named.all)
        must_go, kept = kept_after(named, named_by(again, record.lang, lister), stays, new)
        same = again == written
    return GroundingRow(
        item=record.pair_id,
        lang=record.lang,
        query=record.query_path,
        named=len(named.all),
        shown=len(named.all & (one | two)),
        agreeing=len(named.agreeing),
        agreeing_in_both=len(named.agreeing & one & two),
        disagreeing=len(named.disagreeing),
        disagreeing_in_one=len(named.disagreeing & (one ^ two)),
        there=there,
        swapped=swapped,
        must_go=must_go,
        kept=kept,
        same_text=same,
    )


def kept_after(named: Named, after: Named, stays: Features, new: Features) -> tuple[int, int]:
    """How many features had to go, and how many of them are named all the same.

    Args:
        named: By the explanation of the old pair.
        after: By that of the new one.
        stays: What of the features the picture shows that both pairs have, in most cases the query.
        new: What of them the new picture shows.
    """
    no_longer_agreeing = named.agreeing - new  # may be named as disagreeing, where the other picture shows it
    in_neither = (named.disagreeing | named.elsewhere) - stays - new - no_longer_agreeing
    kept = len(no_longer_agreeing & after.agreeing) + len(in_neither & after.all)
    return len(no_longer_agreeing) + len(in_neither), kept


def grounding_statistics(rows: Sequence[GroundingRow]) -> dict[str, Statistic]:
    """Name and statistic, in the order of the table."""

    def count(name: str) -> NDArray[np.float64]:
        return np.array([float(getattr(row, name) or 0) for row in rows], dtype=np.float64)

    named, shown = count("named"), count("shown")
    swapped = np.array([row.swapped is not None for row in rows], dtype=np.float64)
    found = {
        "features named, per explanation": mean(named),
        "precision: named and shown": share(shown, named),
        "hallucinated, per explanation": mean(named - shown),
        "agreeing, shown by both": share(count("agreeing_in_both"), count("agreeing")),
        "disagreeing, shown by one alone": share(count("disagreeing_in_one"), count("disagreeing")),
    }
    if any(row.there is not None for row in rows):
        found["recall: shown and named"] = share(shown, count("there"))
    if swapped.any():
        found["after the swap: kept of what must go"] = share(count("kept"), count("must_go"))
        found["after the swap: the same text"] = share(count("same_text") * swapped, swapped)
    return found


def queries(rows: Sequence[GroundingRow]) -> list[Hashable]:
    """What rows are drawn by."""
    return [row.query for row in rows]
