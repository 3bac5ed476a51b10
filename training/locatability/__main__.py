r"""Make class weights of locatability from clue texts, as a table that the locatability tool reads.

    python -m geosleuth.training.locatability clues.txt --encoder hf:openai/clip-vit-large-patch14 --out weights.tsv
    python -m geosleuth.training.locatability clues.jsonl --encoder hf:sentence-transformers/all-MiniLM-L6-v2 \
        --out weights.tsv

Clues are what players of geography games tell each other ("In Japan, utility poles have black and yellow bands"): a
text file with one a line, a CSV file with a column "clue" or "text", or JSON lines (`clues.py`). Those that name no
place are left out (`place_mentions.py`; --keep-all keeps them). Each is matched to the classes of ADE20K that it is
closest to in the encoder's space; the similarities of its matches are added up per class, and min-max brings the sums
to [0, 1] (`recipe.py`). On one core 3,000 clues take a minute with all-MiniLM-L6-v2, seven with CLIP ViT-L/14. The
published weights, which come with geosleuth, were made in such a way from clues that are not public.

Without any model, by the words alone (English), in seconds; also a way to see that everything works:

    printf 'Roads in Japan are narrow\nKenya has red roads\nIn Peru, houses are brick\n' > clues.txt
    python -m geosleuth.training.locatability clues.txt --encoder words --out weights.tsv
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import sys
from pathlib import Path

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.tools.ade20k import CLASSES, class_name
from geosleuth.tools.class_weights import Weights, weights_text
from geosleuth.training.locatability.clues import Clues, read_clues
from geosleuth.training.locatability.matching import Matcher, MeaningMatcher, WordMatcher
from geosleuth.training.locatability.place_mentions import LANGUAGES, PlaceMentions
from geosleuth.training.locatability.recipe import TOP, class_totals, min_max
from geosleuth.training.locatability.text_encoder import load_text_encoder

logger = logging.getLogger(__name__)

_SHOWN = 10  # largest weights, to look at


def main(argv: list[str] | None = None) -> int:
    """Read, clean, match, write; returns the exit code."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        clues = read_clues(options.clues)
        matcher = _matcher(options.encoder)
        kept = clues.texts if options.keep_all else _with_places(clues, options.languages.split(","))
        similarities = matcher.similarities(kept)
        weights = min_max(class_totals(similarities, top=options.top, total=options.total))
        _write(weights, _remarks(options, clues, kept, matcher), options.out)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    largest = np.argsort(-weights, kind="stable")[:_SHOWN]
    sys.stdout.write("".join(f"{class_name(int(index))}\t{weights[index]:.3f}\n" for index in largest))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="geosleuth.training.locatability",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clues", type=Path, help="file of clues: .txt, .csv or .jsonl")
    parser.add_argument(
        "--encoder", required=True, help="hf:ORG/NAME[@REV] or dir:PATH of a CLIP or Sentence-BERT; words"
    )
    parser.add_argument("--out", type=Path, required=True, help="the table to write, .tsv")
    parser.add_argument("--top", type=_positive, default=TOP, help="classes that a clue may match")
    parser.add_argument("--total", choices=("sum", "count"), default="sum", help="add similarities, or count matches")
    parser.add_argument("--languages", default=",".join(LANGUAGES), help="of the clues, ISO 639, separated by commas")
    parser.add_argument("--keep-all", action="store_true", help="keep clues that name no place")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= CLASSES:
        raise argparse.ArgumentTypeError(f"a number from 1 to {CLASSES}, not {text!r}")
    return int(text)


def _matcher(encoder: str) -> Matcher:
    return WordMatcher() if encoder == "words" else MeaningMatcher(load_text_encoder(encoder))


def _with_places(clues: Clues, languages: list[str]) -> tuple[str, ...]:
    mentions = PlaceMentions(languages)
    kept = tuple(text for text in clues.texts if mentions(text))
    logger.info("%d clues; %d name a place; skipped rows: %s", len(clues), len(kept), dict(clues.skipped) or "none")
    if not kept:
        remedy = "Check --languages, or keep them all with --keep-all."
        raise InputError("clues that name a place", f"none among {len(clues)}", remedy)
    return kept


def _remarks(options: argparse.Namespace, clues: Clues, kept: tuple[str, ...], matcher: Matcher) -> list[str]:
    sha256 = hashlib.sha256(options.clues.expanduser().read_bytes()).hexdigest()
    return [
        f"Class weights of locatability, made by geosleuth.training.locatability from {options.clues.name}",
        f"(sha256 {sha256[:12]}, {len(clues)} clues, {len(kept)} used, {clues.skipped.total()} rows skipped)",
        f"with {matcher.weights}; {options.total} over matches, top {options.top}.",
    ]


def _write(weights: Weights, remarks: list[str], out: Path) -> None:
    path = out.expanduser()
    temporary = path.with_name(f"{path.name}.part")
    try:
        temporary.write_text(weights_text(weights, remarks), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"a file {path} that can be written", f"{error}", "Name another with --out.") from error


if __name__ == "__main__":
    sys.exit(main())
