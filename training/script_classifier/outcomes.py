"""Count what PP-OCR makes of drawn lines of each script: how it misreads the scripts that it does not know.

    python -m geosleuth.training.script_classifier.outcomes --photos DATA/vpr-small

Prints RATES for tools/script_choice.py. Two minutes on two cores; needs no torch.
"""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from pathlib import Path

import numpy as np

from geosleuth.tools.ppocr import read_lines
from geosleuth.tools.script_choice import OUTCOMES, outcome
from geosleuth.tools.script_classifier import NO_TEXT
from geosleuth.training.script_classifier.rendering import render_line
from geosleuth.training.script_classifier.textures import Textures, load_textures

logger = logging.getLogger(__name__)

_GROUPS = {
    **{script: (script,) for script in ("Latn", "Cyrl", "Grek", "Armn", "Hani", "Zyyy", NO_TEXT)},
    "other": ("Hebr", "Arab", "Thai", "Deva", "Hang", "Geor"),
}


def count_outcomes(scripts: tuple[str, ...], lines: int, textures: Textures, rng: np.random.Generator) -> list[float]:
    """Draw lines of some scripts, have PP-OCR read them, and give the share of each outcome, one added to each."""
    drawn = [scripts[i % len(scripts)] for i in range(lines)]
    grey = [textures.no_text(rng) if s == NO_TEXT else render_line(s, textures, rng, test=True) for s in drawn]
    counts = Counter(outcome(reading) for reading in read_lines([np.repeat(line[:, :, None], 3, 2) for line in grey]))
    return [(counts[name] + 1) / (lines + len(OUTCOMES)) for name in OUTCOMES]


def main() -> None:
    """Draw, read, count, print."""
    parser = argparse.ArgumentParser(description="Count what PP-OCR makes of each script.")
    parser.add_argument("--photos", type=Path, action="append", default=[])
    parser.add_argument("--lines", type=int, default=150)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    textures, rng = load_textures(asked.photos), np.random.default_rng(asked.seed)
    for group, scripts in _GROUPS.items():
        shares = count_outcomes(scripts, asked.lines, textures, rng)
        logger.info('    "%s": (%s),', group, ", ".join(f"{share:.3f}" for share in shares))


if __name__ == "__main__":
    main()
