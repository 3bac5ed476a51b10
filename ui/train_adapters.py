"""`geosleuth train georeasoner` and `geosleuth train gleam-x`: LoRA adapters for the prior and for the verifier.

Both are one engine; they differ in the lessons that their settings name, and in what is done with the adapters then.
Exit codes: 0 done, 2 bad input, 130 interrupted; the same command goes on.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.options import Verbose
from geosleuth.ui.progress_line import ProgressLine, duration
from geosleuth.ui.shell import BAD_INPUT, exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.training.lora.config import AdapterConfig
    from geosleuth.training.lora.progress import AdapterProgress, AdapterReport, StageReport

Role = Literal["prior", "gleam_x"]
ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML file like those of training/lora/configs.")]
RunFolder = Annotated[Path | None, typer.Option("--out", metavar="RUN", help="The folder of the run.")]
Estimated = Annotated[bool, typer.Option("--estimate", help="Say what memory the settings need, and train nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

INTERRUPTED = "Interrupted. What is done is kept; the same command goes on from here."


def georeasoner(
    config: ConfigFile,
    out: RunFolder = None,
    estimate: Estimated = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Teach a vision-language model country, city and reasons: adapters for the prior.

    Interrupted or killed, the same command goes on.
    In several processes: torchrun --no-python --nproc-per-node 4 geosleuth train georeasoner CONFIG --out RUN
    """
    _run("prior", config, out, estimate=estimate, as_json=as_json, verbose=verbose)


def gleam_x(
    config: ConfigFile,
    out: RunFolder = None,
    estimate: Estimated = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Teach a vision-language model to judge whether two pictures show one place, and why: an adapter for the verifier.

    Interrupted or killed, the same command goes on.
    In several processes: torchrun --no-python --nproc-per-node 4 geosleuth train gleam-x CONFIG --out RUN
    """
    _run("gleam_x", config, out, estimate=estimate, as_json=as_json, verbose=verbose)


def _run(role: Role, config: Path, out: Path | None, *, estimate: bool, as_json: bool, verbose: bool) -> None:
    with exits(INTERRUPTED), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer(), said_once():
            from geosleuth.training.lora.config import read_config

            settings = read_config(config)
            said = _needs(settings, as_json=as_json) if estimate else _trained(role, settings, out, as_json=as_json)
        sys.stdout.write(said)
        sys.stdout.flush()


@contextlib.contextmanager
def said_once() -> Iterator[None]:
    """Let the first of torchrun's processes alone say what is wrong: all find the same."""
    try:
        yield
    except InputError:
        if os.environ.get("RANK", "0") != "0":
            raise typer.Exit(BAD_INPUT) from None
        raise


def _trained(role: Role, settings: AdapterConfig, out: Path | None, *, as_json: bool) -> str:
    from geosleuth.training.lora.train import train_adapters

    if out is None:
        raise InputError("the folder of the run", "no --out", "Add --out RUN.")
    with ProgressLine() as line:
        report = train_adapters(settings, out, on_progress=lambda progress: _show(line, progress))
    if not report.is_first:  # of several processes one reports
        return ""
    return _json(report) if as_json else _words(role, report)


def _needs(settings: AdapterConfig, *, as_json: bool) -> str:
    from geosleuth.training.lora.estimate import estimate

    found = estimate(settings)
    if as_json:
        import json
        from dataclasses import asdict

        return json.dumps({**asdict(found), "total_bytes": found.total_bytes}) + "\n"
    rows = [
        ("the base's weights", found.base_bytes),
        ("adapters: weights, gradients, AdamW", found.adapter_bytes),
        ("activations of a batch, language model", found.text_bytes),
        ("activations of a batch, vision tower", found.vision_bytes),
        ("logits of the learned tokens", found.logits_bytes),
        ("what libraries take", found.fixed_bytes),
    ]
    machine = settings.machine
    lines = [
        f"{settings.base}: {found.parameters / 1e9:.2f} G parameters, {found.trained / 1e6:,.1f} M of the adapter",
        f"  {machine.batch_size} lessons of at most {settings.max_length:,} tokens at once, {found.precision}",
        *(f"  {amount / 2**30:6.1f} GiB  {name}" for name, amount in rows),
        f"  {found.total_bytes / 2**30:6.1f} GiB  in all, per process",
    ]
    return "\n".join(lines) + "\n"


def _show(line: ProgressLine, progress: AdapterProgress) -> None:
    if progress.phase == "reading":
        text = f"{progress.stage}: reading {progress.done:,} of {progress.total:,} lessons"
    else:
        text = f"{progress.stage}: step {progress.done:,} of {progress.total:,}"
        text += "" if progress.loss is None else f", loss {progress.loss:.3f}"
        text += "" if progress.tokens_per_s is None else f", {progress.tokens_per_s:,.0f} tokens/s"
        text += "" if progress.eta_s is None else f", {duration(progress.eta_s)} left"
    line.draw(f"{progress.stage} {progress.phase}", text, whole=progress.done == progress.total)


def _words(role: Role, report: AdapterReport) -> str:
    from geosleuth.agent.printable import printable

    lines = [f"{printable(str(report.folder))}: {len(report.stages)} adapters on {printable(report.base)}"]
    for stage in report.stages:
        lines += _stage_lines(stage)
    lines += [f"Mind: {printable(note)}" for stage in report.stages for note in stage.notes]
    spec = printable(report.spec)
    if role == "prior":
        lines.append(f"Next: geosleuth localize PHOTO --prior '{spec}'")
    else:
        lines.append("Next: put this into geosleuth.toml, and run geosleuth localize PHOTO --settings geosleuth.toml")
        lines += ["[backends]", f"gleam_x = '{spec}'"]
    return "\n".join(lines) + "\n"


def _stage_lines(stage: StageReport) -> list[str]:
    if stage.was_done:
        return [f"  {stage.name}: was done before"]
    text = f"  {stage.name}: {stage.steps:,} steps, {stage.lessons:,} lessons in {duration(stage.seconds)}"
    if stage.first_loss is not None and stage.last_loss is not None:
        text += f", loss {stage.first_loss:.3f} at first, {stage.last_loss:.3f} at last"
    lines = [text]
    if stage.resumed_at:
        lines.append(f"    taken up at step {stage.resumed_at:,}")
    if stage.tokens_per_s:
        lines.append(f"    {stage.tokens_per_s:,.0f} tokens/s, {stage.images_per_s:,.1f} images/s")
    if stage.left_out:
        lines.append("    left out: " + ", ".join(f"{count:,} {reason}" for reason, count in stage.left_out.items()))
    return lines


def _json(report: AdapterReport) -> str:
    import json
    from dataclasses import asdict

    content = {**asdict(report), "spec": report.spec}
    return json.dumps(content, default=str) + "\n"
