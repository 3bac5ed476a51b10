"""Judge the embedded agent and retrieval on labelled photos, and fit the prior of where photos are taken.

    python -m geosleuth.training.evaluate fit-prior --labels labels.csv --write
    python -m geosleuth.training.evaluate table     --labels labels.csv --photos FOLDER --out docs/evidence/embedded.md
    python -m geosleuth.training.evaluate retrieval --labels labels.csv --photos FOLDER --distractors OTHERS.csv FOLDER
    python -m geosleuth.training.evaluate rerank    --labels labels.csv --photos FOLDER --index INDEX --model SPEC
    python -m geosleuth.training.evaluate gleam-x   --labels labels.csv --photos FOLDER --index INDEX --model SPEC

`fit-prior` needs the labels only and takes seconds; `table` reads the photos (about 2 s each on 2 cores, once: lines of
text are kept in --cache). `retrieval` compares photos of a few places with each other and with distractors; it verifies
some 20 pairs a second, once: all pairs with the first set of distractors, of the others what looks most like a query.
--write puts the fitted prior into the package's data; the compiled grid follows by itself. What weighs evidence is
fitted by `geosleuth calibrate`.

`rerank` has a vision-language model reorder, by --strategy, what an index finds for each photo; --out gate.json is what
`rerank_gate` in geosleuth.toml names. `gleam-x` has the model say match or no match and fits the calibration of its
answers; --out ADAPTER/gleam_x_calibration.json is where it is looked for.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from geosleuth.indexes.errors import InputError
from geosleuth.tools.comparison_prompts import Strategy
from geosleuth.training.evaluate.labelled import LabelledPhoto, read_labels
from geosleuth.training.evaluate.rerank import WITHIN_M

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.gallery import Gallery
    from geosleuth.tools.vlm.load import SharedModel
    from geosleuth.training.evaluate.rerank import Case

_ROOT = Path(__file__).resolve().parents[2]


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="geosleuth.training.evaluate", description=__doc__)
    parser.add_argument("command", choices=tuple(_COMMANDS))
    parser.add_argument("--labels", type=Path, required=True, help="CSV with file, lat, lon, country")
    parser.add_argument("--photos", type=Path, default=Path(), help="folder that the files are relative to")
    parser.add_argument("--cache", type=Path, default=Path("out/observed"), help="folder for what was read before")
    parser.add_argument("--name", default="", help="what to call the data set in the tables")
    parser.add_argument("--write", action="store_true", help="fit-prior: write it into the package's data")
    parser.add_argument("--out", type=Path, help="file for the table, Markdown; for the gate or the calibration, JSON")
    parser.add_argument(
        "--distractors", type=Path, nargs=2, action="append", default=[], metavar=("LABELS", "PHOTOS"),
        help="labelled photos of other places, never queries",
    )  # fmt: skip
    parser.add_argument("--index", help="rerank, gleam-x: a folder, or milvus:COLLECTION@URI")
    parser.add_argument("--model", help="rerank, gleam-x: spec of a vision-language model")
    parser.add_argument("--strategy", choices=get_args(Strategy), default="pairwise", help="rerank: how it is asked")
    parser.add_argument("--within-m", type=float, default=WITHIN_M, help="how near a right reference lies, in metres")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        photos = read_labels(options.labels, options.photos)
        return _COMMANDS[options.command](photos, options)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _stamp(options: argparse.Namespace, photos: list[LabelledPhoto]) -> str:
    """Where a figure comes from: data, date, commit."""
    commit = subprocess.run(
        ["git", "-C", str(_ROOT), "describe", "--always", "--dirty"],
        capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    name = options.name or options.labels.parent.name
    return f"{name}, {len(photos)} photos, {datetime.now(UTC):%Y-%m-%d}, commit {commit or 'unknown'}"


def _fit_prior(photos: list[LabelledPhoto], options: argparse.Namespace) -> int:
    from geosleuth.training.evaluate.fit_prior import fit_prior

    fit = fit_prior([p.position for p in photos], [p.country for p in photos])
    prior = replace(fit.prior, source=_stamp(options, photos))
    sys.stdout.write(
        f"{json.dumps(asdict(prior), indent=2)}\n"
        f"held out: {fit.log2_density:.2f} bits per km2; in proportion to population: {fit.floor_log2_density:.2f}; "
        f"in the 90 % region: {100 * fit.coverage_90:.1f} % of the photos\n"
    )
    if options.write:
        path = _ROOT / "indexes" / "data" / "photo_prior.json"
        path.write_text(json.dumps(asdict(prior), indent=2) + "\n", encoding="utf-8")
    return 0


def _table(photos: list[LabelledPhoto], options: argparse.Namespace) -> int:
    from geosleuth.training.evaluate.embedded import embedded_table
    from geosleuth.training.evaluate.observed import observe

    return _publish(embedded_table(observe(photos, options.cache), _stamp(options, photos)), options.out)


def _publish(text: str, out: Path | None) -> int:
    sys.stdout.write(text)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    return 0


def _retrieval(photos: list[LabelledPhoto], options: argparse.Namespace) -> int:
    from geosleuth.training.evaluate.pair_verdicts import pair_verdicts
    from geosleuth.training.evaluate.retrieval import Places, pairs_to_verify
    from geosleuth.training.evaluate.retrieval_report import retrieval_report
    from geosleuth.training.evaluate.retrievers import retrievers

    everything, name = list(photos), options.name or options.labels.parent.name
    galleries = {f"{name} alone": Places(photos, len(photos))}
    for labels, folder in options.distractors:
        everything += read_labels(labels, folder)
    if options.distractors:
        others = " and ".join(labels.parent.name for labels, _ in options.distractors)
        galleries[f"{name} among {others}"] = Places(everything, len(photos))
    tables = [
        (title, places, retrievers([photo.path for photo in places.photos], options.cache))
        for title, places in galleries.items()
    ]
    # All impostors of the first set of distractors, and of all of them what looks most like a query.
    impostors = len(photos) + (len(read_labels(*options.distractors[0])) if options.distractors else 0)
    pairs = {(a, b) for a in range(len(photos)) for b in range(impostors) if a != b}
    pairs = pairs.union(*(pairs_to_verify(places, found) for _, places, found in tables))
    verdicts = pair_verdicts([photo.path for photo in everything], sorted(pairs), options.cache)
    return _publish(retrieval_report(_stamp(options, photos), tables, verdicts), options.out)


def _rerank(photos: list[LabelledPhoto], options: argparse.Namespace) -> int:
    from geosleuth.tools.rerank_gate import write_gate
    from geosleuth.training.evaluate.rerank import gate_lines, measure_gate

    found, model, gallery = _cases(photos, options)
    stamp, today = _stamp(options, photos), f"{datetime.now(UTC):%Y-%m-%d}"
    gate = measure_gate(found, model, gallery, options.strategy, sample=stamp, date=today)
    sys.stdout.write(gate_lines(gate))
    if options.out:
        write_gate(gate, options.out)
    return 0


def _gleam_x(photos: list[LabelledPhoto], options: argparse.Namespace) -> int:
    from geosleuth.tools.match_calibration import fit_calibration
    from geosleuth.training.evaluate.rerank import pair_logits, rates_line, verdict_rates

    found, model, gallery = _cases(photos, options)
    logits, labels = pair_logits(found, model, gallery)
    sys.stdout.write(rates_line("as the model leans", verdict_rates([x >= 0 for x in logits], labels)))
    stamp, today = _stamp(options, photos), f"{datetime.now(UTC):%Y-%m-%d}"
    fitted = fit_calibration(logits, labels, weights=model.weights, sample=stamp, date=today)
    calibrated = verdict_rates([fitted.probability(x) >= 0.5 for x in logits], labels)
    sys.stdout.write(rates_line("calibrated, on the same pairs", calibrated))
    return _publish(fitted.model_dump_json(indent=2) + "\n", options.out)


def _cases(photos: list[LabelledPhoto], options: argparse.Namespace) -> tuple[Iterator[Case], SharedModel, Gallery]:
    """Open the index and the model; every photo is searched when its turn comes."""
    from geosleuth.agent.references import open_references
    from geosleuth.agent.settings import Settings
    from geosleuth.tools.vlm.load import load_vlm
    from geosleuth.training.evaluate.rerank import cases

    references = open_references(Settings(index=options.index))
    if references is None or options.model is None:
        missing = "--index" if references is None else "--model"
        raise InputError(f"an index and a model for {options.command}", f"no {missing}", f"Name one by {missing}.")
    model = load_vlm(options.model)
    found = cases(photos, references.gallery, references.encoder, within_m=options.within_m)
    return found, model, references.gallery


_COMMANDS = {
    "fit-prior": _fit_prior,
    "table": _table,
    "retrieval": _retrieval,
    "rerank": _rerank,
    "gleam-x": _gleam_x,
}

if __name__ == "__main__":
    sys.exit(main())
