"""`geosleuth localize PHOTO...`: one scene, by one photo or several, answered in words, as data, or as a report."""

from __future__ import annotations

import contextlib
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.options import Hints, IndexPlace, PriorSpec, SettingsFile, Verbose
from geosleuth.ui.shell import NOT_LOCATABLE, exits, explain, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.agent.agent import Agent
    from geosleuth.agent.localization import Localization
    from geosleuth.agent.steps import Step


@dataclass(frozen=True)
class _Stated:
    """What the caller knows of the scene."""

    hints: list[str]
    seen: dict[str, str]  # question -> option
    taken: str | None
    sun: tuple[float | None, float | None] | None  # azimuth and elevation in degrees

    def arguments(self) -> dict[str, Any]:
        """As `Agent.stream` takes them.

        Raises:
            InputError: The time is none.
        """
        from geosleuth.tools.sunlight import parse_taken

        taken = None if self.taken is None else parse_taken(self.taken)
        return {"hints": self.hints, "observations": self.seen, "taken": taken, "sun": self.sun}


def localize(
    photos: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO...", help="JPEG, PNG, WebP, HEIC, TIFF... or a video; several are of one scene."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_geojson: Annotated[bool, typer.Option("--geojson", help="Print GeoJSON: the point and the regions.")] = False,
    as_kml: Annotated[bool, typer.Option("--kml", help="Print KML: the point and the regions.")] = False,
    hint: Hints = None,
    see: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=OPTION", help="What you see: driving_side=left; `geosleuth questions` lists all."),
    ] = None,
    taken: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it was taken: '2024-06-01 12:30', or ending in Z or +02:00."),
    ] = None,
    sun_azimuth: Annotated[
        float | None, typer.Option(metavar="DEG", min=0, max=360, help="Where the sun stands, clockwise from north.")
    ] = None,
    sun_elevation: Annotated[
        float | None, typer.Option(metavar="DEG", min=0, max=90, help="How high: atan(height / length of its shadow).")
    ] = None,
    settings: SettingsFile = None,
    prior: PriorSpec = None,
    index: IndexPlace = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Draw the verified matches as JPEG files in here.")
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report as well: .html or .pdf.")] = None,
    verbose: Verbose = False,
) -> None:
    """Say where a photo was taken, how sure that is, and why."""
    with exits(), contextlib.ExitStack() as logs:
        form = _one_form(json=as_json, geojson=as_geojson, kml=as_kml)
        sun = None if sun_azimuth is None and sun_elevation is None else (sun_azimuth, sun_elevation)
        stated = _Stated(hint or [], _observations(see or []), taken, sun)
        if report is not None:
            _check_report(report)
        # The readable answer itself says which tool failed, and why.
        logs.enter_context(logs_to_stderr(verbose, failures=verbose or form != "readable"))
        with stdout_kept_for_the_answer():
            agent = _agent(settings, {"backends.prior": prior, "index": index}, pictures)
            answer = _investigate(agent, photos, stated, verbose=verbose)
            text = _written(answer, form)
        if text is None:
            from geosleuth.ui.terminal import show

            show(answer)
        else:
            sys.stdout.write(text)
        sys.stdout.flush()
        with stdout_kept_for_the_answer():
            if pictures is not None:
                _draw(agent, answer, photos, pictures)
            if report is not None:
                _report(agent, answer, photos, report)
        if answer.status == "not_locatable":
            raise typer.Exit(NOT_LOCATABLE)


def _observations(given: list[str]) -> dict[str, str]:
    """{"driving_side": "left"} of ["driving_side=left"].

    Raises:
        InputError: One of them has no "=".
    """
    for one in given:
        if "=" not in one:
            remedy = "Write --see driving_side=left; `geosleuth questions` lists all."
            raise InputError("KEY=OPTION", repr(one), remedy)
    pairs = [(key.strip(), option.strip()) for key, _, option in (one.partition("=") for one in given)]
    for key, option in pairs:
        if dict(pairs)[key] != option:
            found = f"{key}={option} and {key}={dict(pairs)[key]}"
            raise InputError(f"one answer to {key}", found, "Leave one of them out, or both where you cannot tell.")
    return dict(pairs)


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


def _draw(agent: Agent, answer: Localization, photos: list[str], folder: Path) -> None:
    """Draw the matches of an answer that is written already: what goes wrong here is said, and changes nothing."""
    from geosleuth.agent.printable import printable
    from geosleuth.ui.pictures import write_pictures

    if agent.references is None:
        return
    drawn = 0
    try:
        for path in write_pictures(answer, agent.load(photos), agent.references, folder):
            drawn += 1
            typer.echo(f"Match drawn into {printable(str(path))}", err=True)
    except InputError as error:
        explain(error)
        return
    if not drawn:
        why = "the answer was coarsened" if answer.precision_cap_km else "verification accepted no reference"
        typer.echo(f"No match was drawn: {why}.", err=True)


def _investigate(agent: Agent, photos: list[str], stated: _Stated, *, verbose: bool) -> Localization:
    for step in agent.stream(photos, **stated.arguments()):
        if verbose and step.trace is not None:
            _log(step)
        if step.localization is not None:
            return step.localization
    raise RuntimeError("the agent's stream ended without an answer")


def _log(step: Step) -> None:
    from geosleuth.agent.printable import printable

    trace = step.trace
    if trace is None:
        return
    logger = logging.getLogger(__name__)
    logger.info("step %d: %s, %.2f s: %s", trace.step, trace.tool, trace.seconds, trace.result)
    if trace.thought:
        logger.info("  the planner's words, no evidence: %s", printable(trace.thought))


def _written(answer: Localization, form: str) -> str | None:
    """Return the answer as text for programs, or None for the readable form."""
    from geosleuth.agent.export import to_geojson, to_kml
    from geosleuth.agent.printable import printable_json

    if form == "json":
        return printable_json(answer.model_dump_json(indent=2)) + "\n"
    if form == "readable":
        return None

    return to_geojson(answer) if form == "geojson" else to_kml(answer)


def _check_report(path: Path) -> None:
    """Refuse a report that cannot be written before the work whose result goes there.

    Raises:
        InputError: Its name has another ending, its folder is not there, or what writes PDF is not installed.
    """
    from geosleuth.agent.report.write import check_report

    check_report(path)


def _report(agent: Agent, answer: Localization, photos: list[str], path: Path) -> None:
    """Write the report of an answer that is printed already."""
    from geosleuth.agent.printable import printable
    from geosleuth.agent.report.write import write_report

    write_report(path, answer, agent.load(photos), agent.references)
    typer.echo(f"Report written to {printable(str(path))}", err=True)
