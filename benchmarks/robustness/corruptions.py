"""Measure what is left of the agent's answers when photos are worn or tampered with: 8 corruptions at 3 strengths.

    python benchmarks/robustness/corruptions.py --data street-dev --root FOLDER --labels labels.csv --out table.md
    python benchmarks/robustness/corruptions.py ... --all                      # not the 60 photos drawn by country
    python benchmarks/robustness/corruptions.py ... --count 4 --only overlay   # minutes: the clean photos and one row

The sample is drawn in the countries' proportions. Corrupted pictures and what the tools found in them go to --scratch,
so that the same command goes on where it was interrupted; the table is written after each row. Pictures of a data set
are its owners': never commit the scratch folder. Answers are made and judged as by `geosleuth evaluate agent`; "clean"
is the same picture through the same writer, without metadata. Differences are paired, photo by photo.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from corrupt_photo import CORRUPTIONS, OVERLAY, STRENGTHS, corrupted
from corruption_table import Row, table_of
from false_place import Lured, draw_false_place, generator, lured, writing_of
from PIL import Image

from geosleuth.agent.calibration import Calibration, load_calibration
from geosleuth.agent.settings import Settings, load_settings
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.evaluate.agent.observe import observe
from geosleuth.training.evaluate.agent.score import score
from geosleuth.training.evaluate.agent.scored import Observed, Scored
from geosleuth.training.evaluate.data_sets.by_name import DATA_SETS, open_labelled
from geosleuth.training.evaluate.labelled import LabelledPhoto

CLEAN = "clean"
COUNT = 60
_QUALITY = 95  # of JPEG with full colour: what the writer itself adds is in the clean pictures, too


@dataclass(frozen=True)
class Study:
    """What is measured, and where its pictures lie."""

    photos: Sequence[LabelledPhoto]
    scratch: Path
    settings: Settings
    calibration: Calibration
    seed: int
    processes: int | None

    def judged(self, name: str, strength: int) -> list[tuple[Observed, Scored]]:
        """Corrupt all photos in one way, look at them, and answer; what was done before is not done again."""
        folder = self.scratch / f"seed-{self.seed}" / f"{name}-{strength}"
        written = [replace(one, path=self._picture(one, folder, name, strength)) for one in self.photos]
        told = partial(_tell, f"{name} {strength}")
        seen = observe(
            written,
            self.settings,
            self.scratch / "notes",
            root=folder,
            progress=told,
            processes=self.processes,
        )
        return list(zip(seen, score(seen, self.calibration, processes=self.processes or 1), strict=True))

    def false_country(self, photo: LabelledPhoto) -> str:
        """The country of the false place that is written over a photo."""
        return draw_false_place(photo.country, self.seed, photo.file).country

    def _picture(self, photo: LabelledPhoto, folder: Path, name: str, strength: int) -> Path:
        """Write the corrupted picture, unless it is there.

        The source's hash is in its path: photos of two roots, or of two runs on one scratch folder, may have one name.
        """
        digest = hashlib.sha256(photo.path.read_bytes()).hexdigest()
        path = folder / digest / f"{photo.file}.jpg"  # added, since a.png and a.jpg are two photos
        if path.is_file():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(np.asarray(load_photo(photo.path).pixels))
        if name != CLEAN:
            place = draw_false_place(photo.country, self.seed, photo.file) if name == OVERLAY else None
            writing = None if place is None else writing_of(place)
            image = corrupted(image, name, strength, generator(self.seed, photo.file, name, strength), writing)
        with appearing(path) as scratch:
            image.save(scratch, "JPEG", quality=_QUALITY, subsampling=0)
        return path


def main() -> int:
    """Measure, and write the table."""
    options = _options()
    try:
        return _measure(options)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. The same command goes on: what was looked at is kept.\n")
        return 130


def _measure(options: argparse.Namespace) -> int:
    limit = None if options.all else options.count
    data = open_labelled(options.data, options.root, labels=options.labels, limit=limit, seed=options.seed)
    settings = load_settings(options.settings)
    study = Study(
        data.photos,
        options.scratch,
        settings,
        load_calibration(settings.calibration),
        options.seed,
        options.processes,
    )
    rows: list[Row] = []
    for row in _rows(study, options.only or CORRUPTIONS, options.strength or STRENGTHS):
        rows.append(row)
        if options.out is not None:
            _write(options.out, table_of(rows, data, options.seed))
    if options.out is None:
        sys.stdout.write(table_of(rows, data, options.seed))
    return 0


def _rows(study: Study, names: Sequence[str], strengths: Sequence[int]) -> Iterator[Row]:
    clean = study.judged(CLEAN, 0)
    yield Row(CLEAN, 0, [row for _, row in clean])
    for name in names:
        for strength in strengths:
            now = study.judged(name, strength)
            # The truth of the same photo, whose bytes are others now: rows are paired by it.
            paired = [
                row.model_copy(update={"truth": was.truth}) for (_, row), (_, was) in zip(now, clean, strict=True)
            ]
            followed = _followed(study, clean, now) if name == OVERLAY else ()
            yield Row(name, strength, paired, followed)


def _followed(
    study: Study, clean: Sequence[tuple[Observed, Scored]], now: Sequence[tuple[Observed, Scored]]
) -> Sequence[Lured]:
    return lured(clean, now, [study.false_country(photo) for photo in study.photos], study.calibration)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=sorted(DATA_SETS), required=True)
    parser.add_argument("--root", type=Path, required=True, help="where the photos lie")
    parser.add_argument("--labels", type=Path, help="their list, where it is not in the root")
    parser.add_argument("--count", type=int, default=COUNT, help=f"photos, drawn by country; default {COUNT}")
    parser.add_argument("--all", action="store_true", help="all photos")
    parser.add_argument("--only", action="append", choices=CORRUPTIONS, help="this corruption; may be repeated")
    parser.add_argument("--strength", action="append", type=int, choices=STRENGTHS, help="this one; may be repeated")
    parser.add_argument("--settings", type=Path, help="a geosleuth.toml")
    parser.add_argument("--seed", type=int, default=0, help="of the sample, the corruptions and the false places")
    parser.add_argument("--processes", type=int, help="photos at once, in threads; default: one a core")
    parser.add_argument("--scratch", type=Path, default=Path("out/corruptions"), help="pictures and notes; kept")
    parser.add_argument("--out", type=Path, help="Markdown file of the table; default: stdout")
    return parser.parse_args()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with appearing(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


def _tell(what: str, done: int, total: int) -> None:
    sys.stderr.write(f"\r{what}: {done} of {total} photos" + ("\n" if done == total else ""))
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
