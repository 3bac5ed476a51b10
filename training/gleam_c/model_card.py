"""The card that lies beside a trained encoder: what it is, what it was made of, what it was seen to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from geosleuth.training.towns.listings import SETTINGS as TOWNS

if TYPE_CHECKING:
    from geosleuth.training.evaluate.cross_view.measures import Measures
    from geosleuth.training.gleam_c.checkpoint import Counters
    from geosleuth.training.gleam_c.config import GleamCConfig

_FIRST = """\
An image encoder for retrieval across views (ground, panorama, drone, map, satellite): pictures of one place get similar
vectors. Made by `geosleuth train gleam-c`; `geosleuth index build TILES --encoder dir:THIS_FOLDER` uses it."""
_SYNTHETIC = "**Trained on invented towns (synthetic): of no use on photos of the real world.**"
_LICENCES = """\
The pictures' licences hold for what may be done with the weights; the readers in training/datasets state them."""
_LIMITS = """\
- It compares a picture with the references of an index; it knows no place that the index lacks.
- It was trained on the data above. Other cities, seasons, cameras, heights and scales lower what it finds; measure it
  on your own with `geosleuth evaluate retrieval`, and fit nothing on what you measure with.
- A similarity is no probability. The agent verifies candidates before it believes them.
- Whoever can locate photos can find people: docs/responsible-use.md."""


def model_card(config: GleamCConfig, counters: Counters, data: Sequence[str], measures: Sequence[Measures]) -> str:
    """Write the card, in Markdown.

    Args:
        config: Of the run.
        counters: Where it stood when the encoder was exported.
        data: What each training set held.
        measures: Of the validation sets, by this very encoder.
    """
    synthetic = any((folder / TOWNS).exists() for one in config.data for folder in (one.root, one.root.parent))
    sizes = ", ".join(f"{view} {height} x {width}" for view, (height, width) in config.input.sizes().items())
    lines = [
        f"# {config.name}",
        "",
        _FIRST,
        "",
        *([_SYNTHETIC, ""] if synthetic else []),
        "## How it was made",
        "",
        f"- Backbone: {config.model.backbone}, one for all views; started from: {config.model.weights}",
        f"- Input (height x width, px): {sizes}",
        f"- Loss: symmetric InfoNCE, learned temperature, label smoothing {config.loss.label_smoothing}",
        f"- {counters.total_steps:,} steps of {config.batch_size} pairs, seed {config.seed}; settings.json has all",
        "- Method: GLEAM-C (arXiv 2509.07450) after Sample4Geo (arXiv 2303.11851)",
        "",
        "## What it was made of",
        "",
        *(f"- {one}" for one in data),
        "",
        _LICENCES,
        "",
        "## What it was seen to do",
        "",
        *_table(measures),
        "",
        "## Limits",
        "",
        _LIMITS,
        "",
    ]
    return "\n".join(lines)


def _table(measures: Sequence[Measures]) -> list[str]:
    if not measures:
        return ["Not measured: the run had no validation sets."]
    rows = [
        "| validation set | queries | references | recall@1 | recall@5 | recall@10 | chance@1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in measures:
        recall: Mapping[int, float] = one.overall.recall
        rows.append(
            f"| {one.set} {one.split} | {one.overall.queries:,} | {one.references:,} | "
            + " | ".join(f"{recall[k]:.1%}" for k in (1, 5, 10))
            + f" | {one.overall.chance[1]:.1%} |"
        )
    return [*rows, "", "The encoder of the best step on these very sets was kept: on others it is likely to find less."]
