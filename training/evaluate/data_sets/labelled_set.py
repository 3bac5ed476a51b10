"""A labelled data set that was read: its photos, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.evaluate.labelled import LabelledPhoto

_REASONS_SHOWN = 3


@dataclass(frozen=True)
class LabelledSet:
    """Photos in the order of the set's list, and what was left out."""

    name: str
    photos: tuple[LabelledPhoto, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: Mapping[str, int] = field(default_factory=dict)  # what a reader of figures must know -> rows

    def __len__(self) -> int:
        return len(self.photos)

    def __iter__(self) -> Iterator[LabelledPhoto]:
        return iter(self.photos)

    def __repr__(self) -> str:
        return f"LabelledSet({self.name}: {len(self):,} in {self.countries} countries, {len(self.skipped):,} skipped)"

    @property
    def countries(self) -> int:
        """How many countries have photos."""
        return len({photo.country for photo in self.photos} - {""})

    @property
    def skip_reasons(self) -> dict[str, int]:
        """Why rows were left out, the commonest first."""
        return dict(Counter(one.reason for one in self.skipped).most_common())

    def said(self) -> str:
        """Say in one line what was read, and what was skipped and why."""
        line = f"{self.name}: {len(self):,} photos in {self.countries} countries"
        reasons = list(self.skip_reasons.items())
        shown = [f"{count:,} x {why}" for why, count in reasons[:_REASONS_SHOWN]]
        others = sum(count for _, count in reasons[_REASONS_SHOWN:])
        shown += [f"{others:,} for other reasons"] if others else []
        line += f"; {len(self.skipped):,} skipped ({', '.join(shown)})" if shown else "; none skipped"
        return line + "".join(f"; {count:,} x {note}" for note, count in self.notes.items())

    def about(self) -> dict[str, Any]:
        """Facts for a run's record, as JSON."""
        first: dict[str, str] = {}
        for one in self.skipped:
            first.setdefault(one.reason, one.path)
        return {
            "name": self.name,
            "photos": len(self),
            "countries": self.countries,
            "with_city": sum(photo.city is not None for photo in self.photos),
            "skipped": self.skip_reasons,
            "first_skipped": first,
            "notes": dict(self.notes),
        }
