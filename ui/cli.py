"""The command line: `geosleuth localize PHOTO`, `geosleuth index build PHOTOS --out INDEX`, `geosleuth doctor`.

Exit codes: 0 answered, 2 bad input, 3 not locatable, 130 interrupted. Answers go to stdout, all else to stderr.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from geosleuth.ui.batch_command import batch
from geosleuth.ui.calibrate_command import calibrate
from geosleuth.ui.chat_command import chat
from geosleuth.ui.curate_commands import curate_commands
from geosleuth.ui.evaluate_commands import evaluate_commands
from geosleuth.ui.index_commands import index_commands
from geosleuth.ui.localize_command import localize
from geosleuth.ui.mcp_commands import serve as serve_mcp
from geosleuth.ui.options import SettingsFile, Verbose
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer
from geosleuth.ui.towns_command import towns
from geosleuth.ui.train_commands import train_commands

# No rich markup in the help: importing rich would cost a tenth of a second before any word is shown.
app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, help=__doc__
)

app.add_typer(index_commands, name="index")
app.add_typer(curate_commands, name="curate")
app.add_typer(evaluate_commands, name="evaluate")
app.add_typer(train_commands, name="train")
app.command(short_help="Locate a folder of photos; resumable.")(batch)
app.command(short_help="Fit how far each type of evidence is believed.")(calibrate)
app.command()(chat)
app.command(epilog="Exit codes: 0 answered, 2 bad input, 3 not locatable.")(localize)
app.command("mcp", short_help="Offer the tools to another assistant, over stdio.")(serve_mcp)
app.command(short_help="Draw invented towns as data sets; resumable.")(towns)


def main() -> None:
    """Run the command line; the entry point of the `geosleuth` command."""
    app(prog_name="geosleuth")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"geosleuth {version('geosleuth')}")
        raise typer.Exit


@app.callback(help="Answer 'where was this photo taken?', and show the evidence.")
def _geosleuth(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def questions() -> None:
    """List what you may answer with --see: what a person sees in a photo, and no embedded tool does."""
    from geosleuth.ui.terminal import show_questions

    with exits():
        show_questions()


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    settings: SettingsFile = None,
    verbose: Verbose = False,
) -> None:
    """Say what each role runs, what is missing, and how to get it."""
    with exits(), logs_to_stderr(verbose):
        from geosleuth.ui.doctor import examine, report

        with stdout_kept_for_the_answer():
            findings = examine(settings)
        sys.stdout.write(findings.model_dump_json(indent=2) + "\n" if as_json else report(findings))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
