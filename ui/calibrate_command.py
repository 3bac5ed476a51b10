"""`geosleuth calibrate`: fit the constants that weigh evidence, on labelled photos, or check whether fitted ones hold.

Exit codes: 0 done, 2 bad input, 130 interrupted; with --notes the same command goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from geosleuth.ui.columns import columns
from geosleuth.ui.options import IndexPlace, PriorSpec, SettingsFile, Verbose
from geosleuth.ui.progress_line import ProgressLine
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geosleuth.agent.calibration import Calibration, Interval, ModelWeights
    from geosleuth.agent.settings import Settings
    from geosleuth.training.evaluate.agent.scored import Observed
    from geosleuth.training.evaluate.calibration.shift import Shifted, ShiftReport
    from geosleuth.training.evaluate.data_sets.labelled_set import LabelledSet

_INTERRUPTED = "Interrupted. With --notes, the same command goes on: what was looked at is kept."


def calibrate(
    data: Annotated[
        str,
        typer.Option("--data", metavar="NAME", help="im2gps, im2gps3k, yfcc4k, gws15k, osv5m, street-dev, or csv."),
    ],
    root: Annotated[Path, typer.Option("--root", metavar="FOLDER", help="Where the data set lies.")],
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="CSV", help="Its list, where it is not in the root: file,lat,lon."),
    ] = None,
    settings: SettingsFile = None,
    prior: PriorSpec = None,
    index: IndexPlace = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Only so many photos, drawn by country.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="TOOL", help="Leave a tool out. Repeatable.")
    ] = None,
    notes: Annotated[
        Path | None, typer.Option("--notes", metavar="FOLDER", help="Keep what tools found there, for the next run.")
    ] = None,
    folds: Annotated[int, typer.Option("--folds", metavar="N", min=2, help="Of the cross-validation.")] = 5,
    by: Annotated[
        Literal["country", "photo"], typer.Option("--by", help="Whole countries are held out, or single photos.")
    ] = "country",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the calibration there, for the setting `calibration`."),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="FILE", help="Fit nothing: see whether that one holds on these photos."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on one line.")] = False,
    verbose: Verbose = False,
) -> None:
    """Learn from labelled photos how far to believe each type of evidence, and measure what that is worth."""
    with exits(_INTERRUPTED), logs_to_stderr(verbose, failures=verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.agent.calibration import load_calibration
            from geosleuth.agent.settings import load_settings
            from geosleuth.training.evaluate.data_sets.by_name import open_labelled

            _refuse_both(check, out)
            # What is checked also runs: a planner that looks where the belief is must see the same belief.
            given = {"backends.prior": prior, "index": index, "calibration": None if check is None else str(check)}
            resolved = load_settings(settings, arguments=given)
            old = None if check is None else load_calibration(check)
            writable(out)
            opened = open_labelled(data, root, labels=labels, limit=limit)
            if old is None:
                _divisible(opened, root, folds, by)
            observed = _observed(opened, resolved, root, notes, frozenset(without or ()))
            if old is not None:
                from geosleuth.training.evaluate.calibration.shift import shift

                report = shift(old, observed)
                said = report.model_dump_json() + "\n" if as_json else shift_text(report)
            else:
                from geosleuth.training.evaluate.calibration.calibrate import calibrate as fitted
                from geosleuth.training.evaluate.calibration.calibrate import save

                calibration = fitted(observed, data=opened.name, folds=folds, by=by).calibration
                if out is not None:
                    save(calibration, out)
                said = calibration.model_dump_json() + "\n" if as_json else calibration_text(calibration, out)
        sys.stdout.write(said)
        sys.stdout.flush()


def calibration_text(found: Calibration, out: Path | None) -> str:
    """Write a fitted calibration for a person."""
    from geosleuth.agent.printable import printable

    record = found.record
    assert record is not None  # noqa: S101  # `calibrate` has made one
    lines = [found.source, ""]
    weights = {"": found.temperatures, **{model: one.temperatures for model, one in found.models.items()}}
    rows = [
        [kind, f"{value:.2f}", model, f"{record.types.get(kind, 0):,}"]
        for model, temperatures in weights.items()
        for kind, value in temperatures.items()
    ]
    if rows:
        lines += [*columns([["type of evidence", "temperature", "model", "photos"], *rows]), ""]
        lines += [f"Correlation inside a source: {found.correlation:.2f}", ""]
    lines += [line for model, one in found.models.items() if one.errors for line in (_errs(model, one), "")]
    held = f"Held out, {record.folds} folds by {record.by}"
    figures = [
        ("log2 gain at the truth, photos with evidence", _figure(record.gain_bits)),
        ("the same with the calibration that ships", _figure(record.shipped_bits)),
        ("in the 50 % region", _percent(record.in_50)),
        ("in the 90 % region", _percent(record.in_90)),
        ("median km2 of the 90 % region", f"{record.median_area_90_km2:.3g}"),
    ]
    lines += columns([[held, ""], *map(list, figures)])
    if out is not None:
        lines += ["", f'Written: {out}. To use it: calibration = "{out.as_posix()}" in geosleuth.toml.']
    return "\n".join(map(printable, lines)) + "\n"


def _errs(model: str, weights: ModelWeights) -> str:
    """Say how a model was found to err."""
    near = ", ".join(f"{one.share:.0%} of {one.spread_km:g} km" for one in weights.errors)
    left = 1.0 - sum(one.share for one in weights.errors)
    country = "" if weights.hit_rate is None else f"; beside its point its country is right in {weights.hit_rate:.0%}"
    return f"{model}: points err by Gaussians, {near}, {left:.0%} fall anywhere{country}."


def shift_text(report: ShiftReport) -> str:
    """Write what has changed, for a person."""
    from geosleuth.agent.printable import printable

    head = ["", "at the fit", "here", "change", ""]
    lines = [f"Fitted on: {report.source}", f"Checked on {report.photos:,} photos", ""]
    if report.same_photos:
        lines[-1:] = ["They are the photos of the fit: on these it looks better than it is. Check it on others.", ""]
    shares = [one for one in report.figures if "gain" not in one.name]
    bits = [one for one in report.figures if "gain" in one.name]
    lines += columns([head, *_rows(shares, percent=True), *_rows(bits, percent=False)])
    lines += ["", "Photos that have each type of evidence", *columns([head, *_rows(report.types, percent=True)])]
    lines += ["", f"Of {len(report.types)} types about {0.05 * len(report.types):.1f} differ by chance alone."]
    lines += [f"The calibration has not seen the answers of {name}." for name in report.strangers]
    verdict = "No difference in coverage or gain could be told." if report.holds else "It does not hold here: fit anew."
    return "\n".join(map(printable, [*lines, verdict])) + "\n"


def _rows(shifted: Sequence[Shifted], *, percent: bool) -> list[list[str]]:
    write = _percent if percent else _figure
    return [
        [one.name, write(one.fitted), write(one.found), write(one.change, signed=True), "differs" * one.differs]
        for one in shifted
    ]


def _figure(one: Interval, *, signed: bool = True) -> str:
    return _written(one, 1.0, "+.2f" if signed else ".2f", "")


def _percent(one: Interval, *, signed: bool = False) -> str:
    return _written(one, 100.0, "+.1f" if signed else ".1f", " %")


def _written(one: Interval, scale: float, form: str, unit: str) -> str:
    value = f"{scale * one.value:{form}}{unit}"
    if one.low is None or one.high is None:
        return value
    return f"{value} [{scale * one.low:{form}}, {scale * one.high:{form}}]"


def _observed(
    data: LabelledSet, settings: Settings, root: Path, notes: Path | None, without: frozenset[str]
) -> list[Observed]:
    from geosleuth.training.evaluate.agent.observe import observe

    def told(done: int, total: int) -> None:
        line.draw("photos", f"photos {done:,} of {total:,} ({done / total:.0%})", whole=done == total)

    with contextlib.ExitStack() as stack:
        folder = notes or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="geosleuth-notes-")))
        line = stack.enter_context(ProgressLine())
        return observe(data.photos, settings, folder, root=root, progress=told, without=without)


def _divisible(data: LabelledSet, root: Path, folds: int, by: Literal["country", "photo"]) -> None:
    """Hear of photos that cannot be held out before the hours that looking at them may take."""
    from geosleuth.training.evaluate.agent.observe import truths
    from geosleuth.training.evaluate.calibration.folds import folds_of

    folds_of(truths(data.photos, root), folds, by)


def _refuse_both(check: Path | None, out: Path | None) -> None:
    from geosleuth.indexes.errors import InputError

    if check is not None and out is not None:
        raise InputError("--check or --out", "both", "--check fits nothing: leave --out away, or --check to fit.")


def writable(out: Path | None) -> None:
    """Hear of a place that cannot be written before the work whose result goes there.

    Raises:
        InputError: The folder is not there, or the name is a folder's.
    """
    from geosleuth.indexes.errors import InputError

    if out is None:
        return
    if out.is_dir() or not out.parent.is_dir():
        found = f"a folder: {out}" if out.is_dir() else f"no folder {out.parent}"
        raise InputError("a file to write the calibration to", found, "Name a JSON file in a folder that is there.")
