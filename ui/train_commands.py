"""`geosleuth train ...`: make the weights of the tools.

Exit codes: 0 done, 2 bad input, 130 interrupted; the same command goes on.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.options import Verbose
from geosleuth.ui.progress_line import ProgressLine, duration
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer
from geosleuth.ui.train_adapters import INTERRUPTED, georeasoner, gleam_x, said_once

if TYPE_CHECKING:
    from geosleuth.training.gleam_c.config import GleamCConfig
    from geosleuth.training.gleam_c.progress import RunReport, TrainingProgress

train_commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Train the models behind the tools.")


@train_commands.callback()
def _train() -> None:
    """Train the models behind the tools."""


train_commands.command("georeasoner", short_help="Train the prior's adapters, stage by stage; resumable.")(georeasoner)
train_commands.command("gleam-x", short_help="Train the verifier's adapter; resumable.")(gleam_x)


@train_commands.command("gleam-c", short_help="Train the encoder of all views; resumable.")
def gleam_c(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="A TOML file like those of training/gleam_c/configs.")
    ],
    out: Annotated[Path | None, typer.Option("--out", metavar="RUN", help="The folder of the run.")] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what a step needs, in memory and arithmetic, and train nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    verbose: Verbose = False,
) -> None:
    """Train one encoder for all views; interrupted or killed, the same command goes on.

    In several processes: torchrun --no-python --nproc-per-node 4 geosleuth train gleam-c CONFIG --out RUN
    """
    with exits(INTERRUPTED), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer(), said_once():
            from geosleuth.training.gleam_c.config import read_config

            settings = read_config(config)
            said = _needs(settings) if estimate else _trained(settings, out, as_json)
        sys.stdout.write(said)
        sys.stdout.flush()


def _trained(settings: GleamCConfig, out: Path | None, as_json: bool) -> str:
    from geosleuth.training.gleam_c.loop import train

    if out is None:
        raise InputError("the folder of the run", "no --out", "Add --out RUN.")
    with ProgressLine() as line:
        report = train(settings, out, on_progress=lambda progress: _show(line, progress))
    if not report.is_first:  # of several processes one reports
        return ""
    return _json(report) if as_json else _words(report)


def _needs(settings: GleamCConfig) -> str:
    from geosleuth.training.gleam_c.estimate import estimate

    found = estimate(settings)
    lines = [
        f"{settings.model.backbone}: {found.parameters / 1e6:,.1f} M parameters",
        f"  {found.flops_per_pair / 1e12:,.2f} TFLOP per pair (a panorama and a tile, forward and backward)",
        f"  {found.fixed_bytes / 2**30:,.1f} GiB for weights, gradients and AdamW",
        f"  {found.activation_bytes_per_pair / 2**30:,.2f} GiB per pair at most (float32, attention unfused)",
    ]
    lines += [f"  {found.bytes(n) / 2**30:,.0f} GiB with {n} pairs in a process" for n in (16, 32, 64, 128)]
    return "\n".join(lines) + "\n"


def _show(line: ProgressLine, progress: TrainingProgress) -> None:
    if progress.phase == "embedding":
        text = f"embedding {progress.done:,} of {progress.total:,} pictures"
    else:
        text = f"epoch {progress.epoch} of {progress.epochs}, step {progress.done:,} of {progress.total:,}"
        text += "" if progress.loss is None else f", loss {progress.loss:.3f}"
        text += "" if progress.pairs_per_s is None else f", {progress.pairs_per_s:,.1f} pairs/s"
        text += "" if progress.eta_s is None else f", {duration(progress.eta_s)} left"
    line.draw(progress.phase, text, whole=progress.done == progress.total)


def _words(report: RunReport) -> str:
    from geosleuth.agent.printable import printable

    folder = printable(str(report.folder))
    lines = [f"{folder}: {report.steps:,} steps, {report.pairs:,} pairs in {duration(report.seconds)}"]
    if report.resumed_at:
        lines.append(f"  taken up at step {report.resumed_at:,}")
    if report.pairs_per_s:
        lines.append(f"  {report.pairs_per_s:,.1f} pairs/s while training")
    if report.recall_at_1 is not None:
        lines.append(f"  recall@1 {report.recall_at_1:.1%} on the validation sets, of the best step")
    if report.skipped:
        lines.append(f"  {report.skipped:,} rows of the data sets were skipped: {folder}/about.json")
    if report.broken:
        lines.append(f"  {report.broken:,} pictures could not be decoded and were left out: {folder}/broken.json")
    lines.append(f"Next: geosleuth index build TILES --out INDEX --encoder dir:{folder}")
    return "\n".join(lines) + "\n"


def _json(report: RunReport) -> str:
    import json
    from dataclasses import asdict

    return json.dumps({**asdict(report), "folder": str(report.folder)}) + "\n"
