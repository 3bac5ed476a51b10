"""README.md of an adapter: what it is, what it goes on, what it was trained with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from geosleuth.agent.printable import printable
from geosleuth.indexes.backend import parse_backend
from geosleuth.training.lora.config import AdapterConfig, StageConfig
from geosleuth.training.lora.progress import StageReport


def adapter_card(
    config: AdapterConfig,
    stage: StageConfig,
    before: Sequence[str],
    report: StageReport,
    data: Mapping[str, Any],
) -> str:
    """Write the card; folders are named without those around them, which may be a case's or a person's."""
    below = [parse_backend(spec).short for spec in before]
    lora, machine = stage.lora, config.machine
    lines = [
        f"# {printable(config.name)}: {stage.name}",
        "",
        f"A LoRA adapter for {parse_backend(config.base).short}"
        + (f", on top of {', '.join(below)}: it was trained while they worked, and needs them." if below else "."),
        "",
        f"- Rank {lora.r}, alpha {lora.alpha:g}, dropout {lora.dropout:g}; "
        + ("language model and vision tower." if lora.vision else "language model; the vision tower is the base's."),
        f"- {report.steps:,} steps of {machine.batch_size} x {machine.accumulation} lessons per process.",
        f"- Learning rate {stage.learning_rate:g}, {stage.schedule}; seed {stage.seed}.",
        f"- {report.lessons:,} lessons; left out: "
        + (", ".join(f"{count:,} {reason}" for reason, count in report.left_out.items()) or "none")
        + ".",
    ]
    if report.first_loss is not None and report.last_loss is not None:
        lines.append(
            f"- Loss {report.first_loss:.3f} in the first tenth of the steps, {report.last_loss:.3f} in the last."
        )
    lines += [f"- {printable(note)}" for note in report.notes]
    lines += ["", "Data:", "", "```json", json.dumps(data, indent=1, ensure_ascii=False, default=str), "```", ""]
    return "\n".join(lines)
