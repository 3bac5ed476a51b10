"""Train the classifier that tells a line's script, and write it as ONNX.

    python -m geosleuth.training.script_classifier --out tools/data/script_classifier.onnx \
        --photos DATA/streetscapes-cc --photos DATA/vpr-small

Needs the extra `train` (torch, onnx) and Debian's fonts: fontconfig fonts-noto-core fonts-noto-cjk fonts-dejavu
fonts-liberation fonts-freefont-ttf, and any others that are installed (apt's fonts-* packages that draw non-Latin
letters help most). `--photos` gives backgrounds and the detector's false alarms; without it they are drawn, and noise
is more often taken for writing. From one seed, the same fonts and the same photos come the same samples.

A tiny run that shows that everything works, one minute on one core (its file is of no use):

    python -m geosleuth.training.script_classifier --samples 1500 --test-samples 500 --epochs 1 --out /tmp/tiny.onnx
"""

from __future__ import annotations

import argparse
import csv
import logging
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from geosleuth.tools.script_classifier import CLASSES
from geosleuth.training.script_classifier.network import ScriptNet, export
from geosleuth.training.script_classifier.samples import Samples, batches, draw_samples
from geosleuth.training.script_classifier.textures import load_textures

logger = logging.getLogger(__name__)

_BATCH = 64
_PEAK_RATE = 3e-3  # AdamW's learning rate at its peak (one-cycle), a usual value; others were not tried
_SMOOTHING = 0.02  # some rendered lines are unreadable: certainty about those would be wrong
# Countries whose streets show Latin letters alone: only there is a line that PP-OCR reads as Latin surely Latin.
_LATIN_COUNTRIES = frozenset(
    [
        "AT",
        "AU",
        "AR",
        "BE",
        "BR",
        "CA",
        "CH",
        "CL",
        "CO",
        "CZ",
        "DE",
        "DK",
        "ES",
        "FI",
        "FR",
        "GB",
        "HR",
        "HU",
        "IE",
        "IT",
        "MX",
        "NL",
        "NO",
        "NZ",
        "PE",
        "PL",
        "PT",
        "RO",
        "SE",
        "SK",
        "US",
    ]
)


def latin_files(folders: list[Path]) -> frozenset[str]:
    """Name the photos under `folders` that their labels.csv puts into a country of Latin letters."""
    names = set()
    for table in (folder / "labels.csv" for folder in folders):
        if table.is_file():
            with table.open(encoding="utf-8") as rows:
                names |= {Path(r["file"]).name for r in csv.DictReader(rows) if r.get("iso2") in _LATIN_COUNTRIES}
    return frozenset(names)


def train(samples: Samples, epochs: int, seed: int) -> ScriptNet:
    """Fit the network to the samples; the learning rate rises and falls once."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = ScriptNet()
    network.to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    optimiser = torch.optim.AdamW(network.parameters(), lr=_PEAK_RATE, weight_decay=0.02)
    steps = epochs * (-(-len(samples.lines) // _BATCH))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _PEAK_RATE, total_steps=steps, pct_start=0.2)
    for epoch in range(epochs):
        started, losses = time.monotonic(), []
        network.train()
        for batch, labels in batches(samples, _BATCH, rng):
            loss = functional.cross_entropy(
                network(torch.from_numpy(batch)), torch.from_numpy(labels), label_smoothing=_SMOOTHING
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        logger.info("epoch %d: loss %.3f, %.0f s", epoch + 1, np.mean(losses), time.monotonic() - started)
    return network


def evaluate(network: ScriptNet, samples: Samples) -> np.ndarray:
    """Count (true class, predicted class) on held-out words in held-out fonts."""
    network.eval()
    counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    with torch.no_grad():
        for batch, labels in batches(samples, _BATCH, np.random.default_rng(0)):
            np.add.at(counts, (labels, network(torch.from_numpy(batch)).argmax(1).numpy()), 1)
    return counts


def report(counts: np.ndarray) -> str:
    """Tell each class's recall, and what it is mistaken for most."""
    rows = []
    for index, script in enumerate(CLASSES):
        total = counts[index].sum()
        wrong = counts[index].copy()
        wrong[index] = 0
        worst = CLASSES[int(wrong.argmax())] if wrong.any() else "-"
        rows.append(f"{script} {counts[index, index] / max(total, 1):.3f} of {total} (most often {worst})")
    rows.append(f"all {np.trace(counts) / counts.sum():.3f}")
    return "\n".join(rows)


def main() -> None:
    """Draw, train, evaluate, write."""
    parser = argparse.ArgumentParser(description="Train the script classifier.")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--photos", type=Path, action="append", default=[], help="folder of photos; may be repeated")
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--test-samples", type=int, default=4_000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(asked.workers)
    textures = load_textures(asked.photos, latin_files(asked.photos))
    samples = draw_samples(asked.samples, asked.seed, asked.workers, textures)
    test = draw_samples(asked.test_samples, asked.seed + 1, asked.workers, textures, test=True)
    logger.info("%d samples and %d to test drawn", len(samples.lines), len(test.lines))
    network = train(samples, asked.epochs, asked.seed)
    result = report(evaluate(network, test))
    logger.info("held-out words in held-out fonts:\n%s", result)
    export(network, asked.out, f"Script classifier of geosleuth; classes {' '.join(CLASSES)}; seed {asked.seed}.")
    logger.info("written: %s, %.2f MB", asked.out, asked.out.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
