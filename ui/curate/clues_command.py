"""`geosleuth curate clues`: clues that name a place are kept, and class weights made of them on request."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geosleuth.agent.printable import printable
from geosleuth.ui.options import Verbose
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.training.locatability.cleaning import CleanedClues
    from geosleuth.training.locatability.clues import Clues

_SHOWN = 3  # examples
_LONGEST = 100  # characters of one


def clues(
    clues: Annotated[Path, typer.Argument(metavar="CLUES", help="Clue texts: .txt, .csv or .jsonl.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where kept.jsonl, ... go; without those of another run.")
    ],
    recogniser: Annotated[
        str,
        typer.Option("--recogniser", metavar="SPEC", help="Who finds places: tables, spacy:PIPELINE, hf:ORG/NAME."),
    ] = "tables",
    languages: Annotated[
        str, typer.Option("--languages", metavar="LIST", help="Of the clues, ISO 639, separated by commas.")
    ] = "en,zh",
    keep_all: Annotated[bool, typer.Option("--keep-all", help="Keep clues that name no place.")] = False,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", metavar="SPEC", help="Also make class weights: hf:ORG/NAME, dir:PATH, or words."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    verbose: Verbose = False,
) -> None:
    """Keep the clues that name a place, say which were dropped, and make locatability's class weights of them.

    Writes kept.jsonl, dropped.jsonl with reasons, clues.json with counts, and with --encoder weights.tsv, which
    the setting locatability_weights takes.
    """
    with exits(), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.training.locatability.cleaning import check_new
            from geosleuth.training.locatability.clues import read_clues

            check_new(out.expanduser())
            cleaned = _cleaned(read_clues(clues), recogniser, languages, keep_all=keep_all)
            summary = _written(clues, cleaned, out.expanduser(), encoder)
        said = json.dumps(summary, ensure_ascii=False) + "\n" if as_json else _words(summary, cleaned, out)
        sys.stdout.write(said)
        sys.stdout.flush()


def _cleaned(read: Clues, recogniser: str, languages: str, *, keep_all: bool) -> CleanedClues:
    from geosleuth.training.locatability import cleaning
    from geosleuth.training.locatability.named_entities import load_recogniser

    if keep_all:
        return cleaning.keep_all(read)
    wanted = [one.strip() for one in languages.split(",")]
    return cleaning.clean(read, load_recogniser(recogniser, languages=wanted))


def _written(source: Path, cleaned: CleanedClues, out: Path, encoder: str | None) -> dict[str, Any]:
    from geosleuth.training.locatability.cleaning import WEIGHTS, write_clues

    if encoder is None:
        return write_clues(cleaned, out)
    from geosleuth.tools.ade20k import class_name
    from geosleuth.training.locatability.weights_of_clues import load_matcher, weights_of, write_weights

    made = weights_of(source, cleaned, load_matcher(encoder))
    heaviest = sorted(enumerate(made.weights.tolist()), key=lambda pair: (-pair[1], pair[0]))[:_SHOWN]
    facts = {
        "weights": WEIGHTS,
        "heaviest_classes": {class_name(index): weight for index, weight in heaviest if weight},
    }
    summary = write_clues(cleaned, out, facts)
    write_weights(made, out / WEIGHTS)
    return summary


def _words(summary: dict[str, Any], cleaned: CleanedClues, out: Path) -> str:
    dropped = len(cleaned.dropped)
    lines = [f"{summary['clues']:,} clues: {len(cleaned.kept):,} kept, {dropped:,} dropped ({cleaned.recogniser})"]
    lines += [f"  {count:,} rows skipped: {why}" for why, count in cleaned.skipped.items()]
    lines += [f"  kept: {_short(text)} [{_short(', '.join(names))}]" for text, names in cleaned.kept[:_SHOWN]]
    lines += [f"  dropped, {reason}: {_short(text)}" for text, reason in cleaned.dropped[:_SHOWN]]
    if "weights" in summary:
        heaviest = ", ".join(f"{name} {weight:.3f}" for name, weight in summary["heaviest_classes"].items())
        lines.append(f"  heaviest classes: {heaviest}")
    files = ["kept.jsonl", "dropped.jsonl", "clues.json", *([summary["weights"]] if "weights" in summary else [])]
    lines.append(f"In {out}: {', '.join(files)}")
    return "".join(f"{printable(line)}\n" for line in lines)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
