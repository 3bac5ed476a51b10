r"""Make class weights of locatability from clue texts, as a table that the locatability tool reads.

    python -m geosleuth.training.locatability clues.txt --encoder hf:openai/clip-vit-large-patch14 --out weights.tsv
    python -m geosleuth.training.locatability clues.jsonl --encoder hf:sentence-transformers/all-MiniLM-L6-v2 \
        --out weights.tsv

Clues are what players of geography games tell each other ("In Japan, utility poles have black and yellow bands"): a
text file with one a line, a CSV file with a column "clue" or "text", or JSON lines (`clues.py`). Those that name no
place are left out (`named_entities.py`: --recogniser names who decides, --keep-all keeps them). Each is matched to the
classes of ADE20K that it is closest to in the encoder's space; the similarities of its matches are added up per class,
and min-max brings the sums to [0, 1] (`recipe.py`). On one core 3,000 clues take a minute with all-MiniLM-L6-v2, seven
with CLIP ViT-L/14. The published weights, which come with geosleuth, were made in such a way from clues that are not
public.

`geosleuth curate clues` does the same, and writes which clues were kept and dropped.

Without any model, by the words alone (English), in seconds; also a way to see that everything works:

    printf 'Roads in Japan are narrow\nKenya has red roads\nIn Peru, houses are brick\n' > clues.txt
    python -m geosleuth.training.locatability clues.txt --encoder words --out weights.tsv
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.tools.ade20k import CLASSES, class_name
from geosleuth.training.locatability.cleaning import clean, keep_all
from geosleuth.training.locatability.clues import read_clues
from geosleuth.training.locatability.named_entities import TABLES, Recogniser, load_recogniser
from geosleuth.training.locatability.place_mentions import LANGUAGES
from geosleuth.training.locatability.recipe import TOP
from geosleuth.training.locatability.weights_of_clues import load_matcher, weights_of, write_weights

_SHOWN = 10  # largest weights, to look at


def main(argv: list[str] | None = None) -> int:
    """Read, clean, match, write; returns the exit code."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        clues = read_clues(options.clues)
        matcher = load_matcher(options.encoder)
        cleaned = keep_all(clues) if options.keep_all else clean(clues, _recogniser(options))
        made = weights_of(options.clues, cleaned, matcher, top=options.top, total=options.total)
        write_weights(made, options.out)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    largest = np.argsort(-made.weights, kind="stable")[:_SHOWN]
    sys.stdout.write("".join(f"{class_name(int(index))}\t{made.weights[index]:.3f}\n" for index in largest))
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
    parser.add_argument("--recogniser", default=TABLES, help="of places: tables, spacy:NAME_OR_FOLDER, hf:ORG/NAME")
    parser.add_argument("--languages", default=",".join(LANGUAGES), help="of the clues, ISO 639, separated by commas")
    parser.add_argument("--keep-all", action="store_true", help="keep clues that name no place")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= CLASSES:
        raise argparse.ArgumentTypeError(f"a number from 1 to {CLASSES}, not {text!r}")
    return int(text)


def _recogniser(options: argparse.Namespace) -> Recogniser:
    return load_recogniser(options.recogniser, languages=options.languages.split(","))


if __name__ == "__main__":
    sys.exit(main())
