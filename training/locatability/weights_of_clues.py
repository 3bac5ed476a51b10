"""From a file of clues to the table of class weights that the locatability tool reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.class_weights import Weights, weights_text
from geosleuth.training.locatability.cleaning import CleanedClues
from geosleuth.training.locatability.matching import Matcher, MeaningMatcher, WordMatcher
from geosleuth.training.locatability.recipe import TOP, Total, class_totals, min_max
from geosleuth.training.locatability.text_encoder import load_text_encoder

WORDS = "words"  # the encoder that is none


@dataclass(frozen=True)
class ClueWeights:
    """Weights of the 150 classes, and how they came about."""

    weights: Weights
    remarks: tuple[str, ...]  # lines for the head of the table


def load_matcher(encoder: str) -> Matcher:
    """Load what matches clues and classes: "words", or a text encoder hf:ORG/NAME[@REV] or dir:PATH.

    Raises:
        InputError: No such form, a package or weights that are missing.
    """
    return WordMatcher() if encoder == WORDS else MeaningMatcher(load_text_encoder(encoder))


def weights_of(
    source: Path, clues: CleanedClues, matcher: Matcher, *, top: int = TOP, total: Total = "sum"
) -> ClueWeights:
    """Match, add up, and bring to [0, 1].

    Args:
        source: The file that the clues are from, for the record.
        clues: Those that are kept count.
        matcher: What compares them with classes.
        top: Classes that a clue may match.
        total: "sum" adds similarities, "count" counts matches.

    Raises:
        InputError: Nothing tells classes apart.
    """
    weights = min_max(class_totals(matcher.similarities(clues.texts), top=top, total=total))
    sha256 = hashlib.sha256(source.expanduser().read_bytes()).hexdigest()
    read = len(clues.kept) + len(clues.dropped)
    skipped = sum(clues.skipped.values())
    return ClueWeights(
        weights,
        (
            f"Class weights of locatability, made by geosleuth.training.locatability from {source.name}",
            f"(sha256 {sha256[:12]}, {read} clues, {len(clues.kept)} used, {skipped} rows skipped)",
            f"with {matcher.weights}; {total} over matches, top {top}. Places found by {clues.recogniser}.",
        ),
    )


def write_weights(made: ClueWeights, path: Path) -> None:
    """Write the table, whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    path = path.expanduser()
    try:
        with appearing(path) as scratch:
            scratch.write_text(weights_text(made.weights, list(made.remarks)), encoding="utf-8")
    except OSError as error:
        raise InputError(f"a file {path} that can be written", f"{error}", "Name another with --out.") from error
