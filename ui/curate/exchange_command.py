"""`geosleuth curate queue`, `export`, `import`: a review is made, and its decisions go elsewhere and come back."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.agent.printable import printable
from geosleuth.indexes.errors import InputError
from geosleuth.ui.options import Verbose
from geosleuth.ui.shell import exits, logs_to_stderr

if TYPE_CHECKING:
    from geosleuth.training.review.folder import Review

_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A review, as `curate queue` makes it.")]
_SHOWN = 5  # of what an import left out


class Format(StrEnum):
    """What can be written of a review."""

    jsonl = "jsonl"
    label_studio = "label-studio"
    revised = "revised"


def queue(
    items: Annotated[Path, typer.Argument(metavar="JSONL", help="Pairs with explanations, or answers with reasons.")],
    root: Annotated[Path, typer.Option("--root", metavar="FOLDER", help="What the pictures' paths are below.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The review to make; it must be new.")],
    verbose: Verbose = False,
) -> None:
    """Make a review of pairs with explanations, or of a model's reasons, for `geosleuth curate review`."""
    with exits(), logs_to_stderr(verbose):
        from geosleuth.training.review.folder import make_review
        from geosleuth.training.review.queueing import queued

        found = queued(items.expanduser())
        made = make_review(out.expanduser(), found.items, root.expanduser())
        typer.echo(f"{len(made.items)} items to review in {made.path}.")
        for why, count in found.skipped.items():
            typer.echo(f"{count} lines left out: {why}", err=True)


def export(
    folder: _Folder,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The file to write; it must be new.")],
    format: Annotated[  # noqa: A002  the option's name
        Format,
        typer.Option(
            "--format",
            help="jsonl: all decisions. label-studio: tasks (JSON), and their configuration (XML) beside them. "
            "revised: pairs as reviewers left them, or reasons with mean ratings (JSONL).",
        ),
    ] = Format.jsonl,
    prefix: Annotated[
        str | None,
        typer.Option("--prefix", metavar="TEXT", help="Label Studio: what stands before a picture's path."),
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Write a review's decisions, its revised records, or tasks for Label Studio.

    Label Studio serves the pictures itself: start it with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and
    LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT set to the folder that holds the review's root folder.
    """
    with exits(), logs_to_stderr(verbose):
        from geosleuth.training.review.exchange import check_new, export_decisions
        from geosleuth.training.review.folder import open_review

        review, to = open_review(folder.expanduser()), to.expanduser()
        check_new(review, to)
        if format is Format.jsonl:
            typer.echo(f"{export_decisions(review, to)} decisions in {to}.")
        elif format is Format.label_studio:
            _export_tasks(review, to, prefix)
        else:
            _export_revised(review, to)


def import_decisions(
    folder: _Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `curate export` wrote, or Label Studio's JSON.")],
    annotator: Annotated[
        list[str] | None,
        typer.Option("--annotator", metavar="ID=NAME", help="Label Studio: who an annotator is. Repeatable."),
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Add decisions that were made elsewhere: in another copy of the review, or in Label Studio."""
    with exits(), logs_to_stderr(verbose):
        from geosleuth.training.review import exchange
        from geosleuth.training.review.folder import open_review
        from geosleuth.training.review.label_studio_answers import import_annotations

        review, file = open_review(folder.expanduser()), file.expanduser()
        if _is_list(file):
            done = import_annotations(review, file, dict(map(_named, annotator or [])))
        else:
            done = exchange.import_decisions(review, file)
        typer.echo(f"{done.added} decisions added, {done.known} known already, {len(done.left_out)} left out.")
        for why in done.left_out[:_SHOWN]:
            typer.echo(f"Left out: {printable(why)}", err=True)


def _export_tasks(review: Review, to: Path, prefix: str | None) -> None:
    from geosleuth.training.review.exchange import check_new, write_text
    from geosleuth.training.review.label_studio_tasks import labelling_config, tasks

    config = to.with_suffix(".xml")
    if config == to:
        raise InputError("a file for tasks in JSON", str(to), "Name one that does not end in .xml.")
    check_new(review, config)
    write_text(config, labelling_config(review.kind))
    write_text(to, json.dumps(tasks(review, prefix), ensure_ascii=False, indent=1) + "\n")
    typer.echo(f"{len(review.items)} tasks in {to}; their labelling configuration in {config}.")


def _export_revised(review: Review, to: Path) -> None:
    from geosleuth.training.gleam_x.record_file import write_records
    from geosleuth.training.review.exchange import write_text
    from geosleuth.training.review.outcome import rated, revised

    if review.kind == "pair":
        records = revised(review)
        write_records(to, records)
        typer.echo(f"{len(records)} of {len(review.items)} pairs, as reviewers left them, in {to}.")
        return
    reasons = rated(review)
    write_text(to, "".join(f"{one.model_dump_json()}\n" for one in reasons))
    typer.echo(f"{len(reasons)} of {len(review.items)} answers, with mean ratings, in {to}.")


def _is_list(file: Path) -> bool:
    """Whether the file is one JSON list, as Label Studio writes; ours has an object a line."""
    try:
        with file.open("rb") as opened:
            return opened.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    except OSError as error:
        raise InputError("a file to import", f"{file}: {error.strerror or error}", "Name an export.") from error


def _named(text: str) -> tuple[str, str]:
    who, is_given, name = text.rpartition("=")
    if not is_given or not who or not name:
        raise InputError("an annotator as ID=NAME", repr(text), "Write --annotator 1=anna.")
    return who, name
