"""The command line: `geosleuth localize PHOTO`, `geosleuth doctor`.

Exit codes: 0 answered, 2 bad input, 3 not locatable, 130 interrupted. Answers go to stdout, all else to stderr.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.printable import printable

if TYPE_CHECKING:
    from geosleuth.agent.localization import Localization

BAD_INPUT = 2  # what command lines use for a wrong call, too
NOT_LOCATABLE = 3
INTERRUPTED = 128 + int(signal.SIGINT)  # as shells say it

# No rich markup in the help: importing rich would cost a tenth of a second before any word is shown.
app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, help=__doc__
)

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
    prior: Annotated[str | None, typer.Option(metavar="SPEC", help="Recorded predictions: file:PATH[#MODEL].")] = None,
    verbose: Verbose = False,
) -> None:
    """Say where a photo was taken, how sure that is, and why."""
    with _exits(), contextlib.ExitStack() as logs:
        form = _one_form(json=as_json, geojson=as_geojson, kml=as_kml)
        # The readable answer itself says which tool failed, and why.
        logs.enter_context(_logs_to_stderr(verbose, failures=verbose or form != "readable"))
        with _stdout_kept_for_the_answer():
            answer = _investigate(photo, hint or [], settings, prior, verbose=verbose)
            text = _written(answer, form)
        if text is None:
            from geosleuth.ui.terminal import show

            show(answer)
        else:
            sys.stdout.write(text)
        sys.stdout.flush()
        if answer.status == "not_locatable":
            raise typer.Exit(NOT_LOCATABLE)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    settings: SettingsFile = None,
    verbose: Verbose = False,
) -> None:
    """Say what each role runs, what is missing, and how to get it."""
    with _exits(), _logs_to_stderr(verbose):
        from geosleuth.ui.doctor import examine, report

        with _stdout_kept_for_the_answer():
            findings = examine(settings)
        sys.stdout.write(findings.model_dump_json(indent=2) + "\n" if as_json else report(findings))
        sys.stdout.flush()


def _one_form(**wanted: bool) -> str:
    chosen = [form for form, given in wanted.items() if given]
    if len(chosen) > 1:
        found = " and ".join(f"--{form}" for form in chosen)
        raise InputError("one form of the answer", found, "Leave out all but one of --json, --geojson, --kml.")
    return chosen[0] if chosen else "readable"


def _investigate(
    photo: str, hints: list[str], settings: str | None, prior: str | None, *, verbose: bool
) -> Localization:
    from geosleuth.agent.settings import load_settings

    resolved = load_settings(settings, arguments={"backends.prior": prior})  # before the heavy imports: fails at once
    from geosleuth.agent.agent import Agent

    agent = Agent(resolved)
    if not verbose:
        return agent.localize(photo, hints)
    for step in agent.stream(photo, hints):
        if step.trace is not None:
            logging.getLogger(__name__).info(
                "step %d: %s, %.2f s: %s", step.trace.step, step.trace.tool, step.trace.seconds, step.trace.result
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


@contextlib.contextmanager
def _exits() -> Iterator[None]:
    """Turn what users can cause into words on stderr and an exit code, without a trace-back."""
    try:
        yield
    except InputError as error:
        for label, part in (("Wanted", error.wanted), ("Found", error.found), ("Do", error.remedy)):
            typer.echo(f"{label + ':':<8}{printable(part)}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader (head, less) has gone. Python flushes stdout again at exit: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise typer.Exit(128 + 13) from None  # as a program that SIGPIPE ends


@contextlib.contextmanager
def _logs_to_stderr(verbose: bool, *, failures: bool = True) -> Iterator[None]:
    """Log to stderr while a command runs: warnings, and that tables are being compiled, or all of ours."""
    import warnings

    levels = {
        "geosleuth": logging.INFO if verbose else logging.WARNING,
        "geosleuth.indexes.compiled": logging.INFO,  # the first use takes half a minute: say why
        "geosleuth.agent.graph": logging.NOTSET if failures else logging.ERROR,  # of tools, which end no run
    }
    before = {name: logging.getLogger(name).level for name in levels}
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s" if verbose else "%(message)s"))
    logging.getLogger("geosleuth").addHandler(handler)
    _set_levels(levels)
    with warnings.catch_warnings():
        if not verbose:
            warnings.simplefilter("ignore")  # of libraries, to their programmers
        try:
            yield
        finally:
            logging.getLogger("geosleuth").removeHandler(handler)
            _set_levels(before)


def _set_levels(levels: dict[str, int]) -> None:
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@contextlib.contextmanager
def _stdout_kept_for_the_answer() -> Iterator[None]:
    """Send to stderr what libraries, those in C too, write to stdout."""
    try:
        kept = os.dup(1)
    except OSError:  # stdout is closed
        yield
        return
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


if __name__ == "__main__":
    main()
