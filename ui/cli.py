"""The command line: `geosleuth localize PHOTO`, `geosleuth index build PHOTOS --out INDEX`, `geosleuth doctor`.

Exit codes: 0 answered, 2 bad input, 3 not locatable, 130 interrupted. Answers go to stdout, all else to stderr.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.index_commands import index_commands
from geosleuth.ui.shell import NOT_LOCATABLE, exits, explain, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.agent.agent import Agent
    from geosleuth.agent.localization import Localization

# No rich markup in the help: importing rich would cost a tenth of a second before any word is shown.
app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, help=__doc__
)

app.add_typer(index_commands, name="index")

SettingsFile = Annotated[str | None, typer.Option("--settings", metavar="FILE", help="A geosleuth.toml.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say on stderr what is being done.")]


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


@app.command(epilog="Exit codes: 0 answered, 2 bad input, 3 not locatable.")
def localize(
    photo: Annotated[str, typer.Argument(metavar="PHOTO", help="JPEG, PNG, WebP, HEIC, TIFF...")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_geojson: Annotated[bool, typer.Option("--geojson", help="Print GeoJSON: the point and the regions.")] = False,
    as_kml: Annotated[bool, typer.Option("--kml", help="Print KML: the point and the regions.")] = False,
    hint: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="What you know: 'in Portugal', 'not Lisbon'. Repeatable.")
    ] = None,
    settings: SettingsFile = None,
    prior: Annotated[
        str | None, typer.Option(metavar="SPEC", help="Who guesses first: file:PATH[#MODEL], geoclip, hf:ORG/NAME.")
    ] = None,
    index: Annotated[
        str | None, typer.Option(metavar="INDEX", help="References to search: a folder, or milvus:COLLECTION@URI.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Draw the verified matches as JPEG files in here.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Say where a photo was taken, how sure that is, and why."""
    with exits(), contextlib.ExitStack() as logs:
        form = _one_form(json=as_json, geojson=as_geojson, kml=as_kml)
        # The readable answer itself says which tool failed, and why.
        logs.enter_context(logs_to_stderr(verbose, failures=verbose or form != "readable"))
        with stdout_kept_for_the_answer():
            agent = _agent(settings, {"backends.prior": prior, "index": index}, pictures)
            answer = _investigate(agent, photo, hint or [], verbose=verbose)
            text = _written(answer, form)
        if text is None:
            from geosleuth.ui.terminal import show

            show(answer)
        else:
            sys.stdout.write(text)
        sys.stdout.flush()
        if pictures is not None:
            with stdout_kept_for_the_answer():
                _draw(agent, answer, photo, pictures)
        if answer.status == "not_locatable":
            raise typer.Exit(NOT_LOCATABLE)


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


def _one_form(**wanted: bool) -> str:
    chosen = [form for form, given in wanted.items() if given]
    if len(chosen) > 1:
        found = " and ".join(f"--{form}" for form in chosen)
        raise InputError("one form of the answer", found, "Leave out all but one of --json, --geojson, --kml.")
    return chosen[0] if chosen else "readable"


def _agent(settings: str | None, arguments: dict[str, str | None], pictures: Path | None) -> Agent:
    from geosleuth.agent.settings import load_settings

    resolved = load_settings(settings, arguments=arguments)  # before the heavy imports: fails at once
    if pictures is not None and resolved.index is None:
        raise InputError("an index, for matches to draw", "--pictures without one", "Name it with --index.")
    from geosleuth.agent.agent import Agent

    agent = Agent(resolved)
    if pictures is not None:
        from geosleuth.ui.pictures import make_folder

        make_folder(pictures)
    return agent


def _draw(agent: Agent, answer: Localization, photo: str, folder: Path) -> None:
    """Draw the matches of an answer that is written already: what goes wrong here is said, and changes nothing."""
    from geosleuth.agent.printable import printable
    from geosleuth.ui.pictures import write_pictures

    if agent.references is None:
        return
    drawn = 0
    try:
        for path in write_pictures(answer, photo, agent.references, folder):
            drawn += 1
            typer.echo(f"Match drawn into {printable(str(path))}", err=True)
    except InputError as error:
        explain(error)
        return
    if not drawn:
        why = "the answer was coarsened" if answer.precision_cap_km else "verification accepted no reference"
        typer.echo(f"No match was drawn: {why}.", err=True)


def _investigate(agent: Agent, photo: str, hints: list[str], *, verbose: bool) -> Localization:
    from geosleuth.agent.printable import printable

    if not verbose:
        return agent.localize(photo, hints)
    for step in agent.stream(photo, hints):
        if step.trace is not None:
            logging.getLogger(__name__).info(
                "step %d: %s, %.2f s: %s", step.trace.step, step.trace.tool, step.trace.seconds, step.trace.result
            )
            if step.trace.thought:
                logging.getLogger(__name__).info(
                    "  the planner's words, no evidence: %s", printable(step.trace.thought)
                )
        if step.localization is not None:
            return step.localization
    raise RuntimeError("the agent's stream ended without an answer")


def _written(answer: Localization, form: str) -> str | None:
    """Return the answer as text for programs, or None for the readable form."""
    if form == "json":
        return answer.model_dump_json(indent=2) + "\n"
    if form == "readable":
        return None
    from geosleuth.agent.export import to_geojson, to_kml

    return to_geojson(answer) if form == "geojson" else to_kml(answer)


if __name__ == "__main__":
    main()
