r"""Train a Qwen2.5-VL of 3 million parameters from nothing on invented towns (synthetic), as a base to try adapters on.

It learns to name what its pictures show, and what a photo and a candidate share, in English and Chinese, and to write
JSON; which country a picture is of it is never told. Its vision tower comes first, by itself. Tens of minutes on a
core:

    geosleuth towns TOWNS --layout street_views --layout university1652 --towns 64 --places 40 --seed 7 \
        --street-px 112x168 --satellite-px 112 --drone-px 112
    python -m geosleuth.training.small_vlm TOWNS --out BASE
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.small_vlm.architecture import Size, write_base
from geosleuth.training.small_vlm.curriculum import curriculum, pictures_of
from geosleuth.training.small_vlm.teach import Taught, begun, teach
from geosleuth.training.small_vlm.tower import tower_first
from geosleuth.training.small_vlm.words import instructions, texts

logger = logging.getLogger("geosleuth.training.small_vlm")

STEPS = 1000  # of 32 lessons
TOWER_STEPS = 800  # of 32 pictures, before


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="geosleuth.training.small_vlm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("towns", type=Path, help="a folder that `geosleuth towns` wrote, with labels")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder, to be made")
    parser.add_argument("--steps", type=_positive, default=STEPS, help="of 32 lessons")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        make_base(given.towns, given.out, steps=given.steps, seed=given.seed)
    except InputError as error:
        logger.error("Wanted: %s\nFound:  %s\nDo:     %s", error.wanted, error.found, error.remedy)
        return 2
    except KeyboardInterrupt:
        logger.error("Interrupted; nothing was written.")
        return 130
    return 0


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"a number from 1 on, not {text!r}")
    return int(text)


def make_base(towns: Path, out: Path, *, steps: int = STEPS, seed: int = 0) -> Path:
    """Train a base on the pictures of towns.

    Raises:
        InputError: `out` is there already, or there are no towns.
    """
    begun(out)
    lessons = curriculum(towns, seed=seed)
    logger.info("%d lessons: %s", len(lessons), lessons.about())
    with tempfile.TemporaryDirectory() as scratch:
        untrained = write_base(Path(scratch, "untrained"), texts(), instructions(), size=Size(), seed=seed)
        tower_first(untrained, pictures_of(lessons), steps=min(steps, TOWER_STEPS), seed=seed, on_step=_say_tower)
        return teach(untrained, lessons, out, steps=steps, seed=seed, on_progress=_say)


def _say_tower(step: int, loss: float) -> None:
    if step % 100 == 0:
        logger.info("tower: step %d, loss %.3f", step, loss)


def _say(taught: Taught) -> None:
    if taught.step % 100 == 0 or taught.step == taught.steps:
        logger.info("step %d of %d, loss %.3f", taught.step, taught.steps, taught.loss)


if __name__ == "__main__":
    raise SystemExit(main())
