"""`geosleuth curate pairs`: pairs of pictures with their labels, from any cross-view data set.

Exit codes: 0 done, 2 bad input, 130 interrupted; with --cache the same command goes on where it stopped.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.options import Verbose
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer


class LanguageName(StrEnum):
    """Of explanations."""

    ENGLISH = "en"
    CHINESE = "zh"


def pairs(
    data: Annotated[
        str, typer.Option("--data", metavar="NAME", help="vigor, university1652, cvusa, cvact, setvl, map.")
    ],
    root: Annotated[Path, typer.Option("--root", metavar="FOLDER", help="Where the data set lies.")],
    split: Annotated[
        str, typer.Option("--split", metavar="SPLIT", help="One of the data set's; a wrong one lists them.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="PAIRS.jsonl", help="A new file.")],
    encoder: Annotated[
        str,
        typer.Option("--encoder", metavar="SPEC", help="Ranks the references: embedded, timm:NAME, dir:RUN, or none."),
    ] = "embedded",
    queries: Annotated[
        int | None, typer.Option("--queries", metavar="N", min=1, help="Only so many, drawn by chance.")
    ] = None,
    negatives: Annotated[
        int, typer.Option("--negatives", metavar="N", min=1, help="Wrong references of a query that gives any.")
    ] = 1,
    ranks: Annotated[
        tuple[int, int], typer.Option("--ranks", metavar="FIRST LAST", help="Which of the wrong references, by rank.")
    ] = (1, 10),
    languages: Annotated[
        list[LanguageName] | None, typer.Option("--lang", help="Of the explanations; repeatable.  [default: en]")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="FOLDER", help="Keep vectors there: the next run takes seconds.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Another one draws other pairs.")] = 0,
    verbose: Verbose = False,
) -> None:
    """Draw true pairs and as many wrong ones, of references that an encoder takes for the query's place.

    Wrong references are drawn from the ranks 1 to 10 among the wrong ones; with --encoder none, by chance.
    """
    with exits("Interrupted."), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.training.datasets.columns import said
            from geosleuth.training.datasets.open import open_set
            from geosleuth.training.gleam_x.pairs import make_pairs
            from geosleuth.training.gleam_x.record_file import check_writable, write_records
            from geosleuth.ui.progress_line import ProgressLine

            if out.exists():  # it may hold explanations that were paid for
                raise InputError("a new file for the pairs", f"one that is there: {out}", "Name another with --out.")
            check_writable(out)
            opened = open_set(data, root, split)
            with ProgressLine() as progress:
                found = make_pairs(
                    opened,
                    root,
                    encoder=None if encoder == "none" else encoder,
                    queries=queries,
                    negatives=negatives,
                    seed=seed,
                    ranks=ranks,
                    languages=[one.value for one in languages or [LanguageName.ENGLISH]],
                    cache=cache,
                    progress=progress,
                )
            write_records(out, found)
        matches = sum(one.label == "match" for one in found)
        sys.stdout.write(f"{_printable(said(opened))}\n{_printable(str(out))}: {len(found):,} records, ")
        sys.stdout.write(f"{matches:,} of them matches\n")
        sys.stdout.flush()


def _printable(text: str) -> str:
    from geosleuth.agent.printable import printable

    return printable(text)
