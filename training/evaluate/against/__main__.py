"""Recorded models by themselves against the agent that asks them, on one data set: the paired tables.

    python -m geosleuth.training.evaluate.against --data street-dev --root STILLS --labels labels.csv \
        --predictions predictions.csv --pool 'open models=a,b,c,d' --notes NOTES --out docs/evidence/against_models.md

The photos are looked at once (some 3 s each on 2 cores) and kept in --notes; after that it takes minutes.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.prior import RecordedPredictions, recorded_models
from geosleuth.training.evaluate.against.contest import Contest, contest, less_evidence, two_models
from geosleuth.training.evaluate.against.page import change_table, contest_table, near_table, region_table
from geosleuth.training.evaluate.against.unmeasured import as_unmeasured, pooled_errors
from geosleuth.training.evaluate.agent.scored import Observed

logger = logging.getLogger("geosleuth.training.evaluate.against")


def main(argv: list[str] | None = None) -> int:
    """Make the page; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="geosleuth.training.evaluate.against",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", required=True, help="name of the data set, as `geosleuth evaluate agent` knows it")
    parser.add_argument("--root", type=Path, required=True, help="where its photos lie")
    parser.add_argument("--labels", type=Path, help="its labels, where they lie elsewhere")
    parser.add_argument("--predictions", type=Path, required=True, help="CSV of recorded predictions, all models")
    parser.add_argument("--models", help="some of its models, with commas; else all")
    parser.add_argument("--pool", action="append", default=[], metavar="NAME=A,B", help="models to count together")
    parser.add_argument("--seen", type=Path, help="photos that a developer has looked at: their names, a line each")
    parser.add_argument("--pairs", action="store_true", help="also fuse all pairs of models")
    parser.add_argument("--notes", type=Path, default=Path("out/notes"), help="folder of what the tools found")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="Markdown page; else stdout")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if given.out is None:
            sys.stdout.write(against_page(given))
        else:
            with appearing(given.out) as scratch:  # a place where nothing can be written is heard of first
                scratch.write_text(against_page(given), encoding="utf-8")
    except InputError as error:
        logger.error("Wanted: %s\nFound:  %s\nDo:     %s", error.wanted, error.found, error.remedy)
        return 2
    except OSError as error:
        remedy = "Name a place that can be written with --out and --notes."
        logger.error("Wanted: a page and notes\nFound:  %s\nDo:     %s", error, remedy)
        return 2
    except KeyboardInterrupt:
        logger.error("Interrupted. What was found in photos is kept in %s.", given.notes)
        return 130
    return 0


def against_page(given: argparse.Namespace) -> str:
    """Look, fuse and compare; what is wrong in the arguments is heard of before any photo is looked at.

    Raises:
        InputError: The data set, the predictions, an argument or the notes cannot be used.
    """
    from geosleuth.agent.settings import Settings
    from geosleuth.training.evaluate.agent.observe import observe
    from geosleuth.training.evaluate.agent.record import commit
    from geosleuth.training.evaluate.agent.with_prior import with_prior
    from geosleuth.training.evaluate.data_sets.by_name import open_labelled

    if given.processes < 1:
        raise InputError("one process or more", str(given.processes), "Name another number with --processes.")
    names = given.models.split(",") if given.models else recorded_models(given.predictions)
    recorded = [RecordedPredictions.read(given.predictions, name) for name in names]
    pools = dict(_pool(text, names) for text in given.pool)
    data = open_labelled(given.data, given.root, labels=given.labels)
    seen = _seen(given.seen, [photo.file for photo in data.photos]) if given.seen else None
    observed = observe(data.photos, Settings(), given.notes, root=given.root, processes=given.processes)
    stamp = f"{data.name}, {len(observed)} photos, {datetime.now(UTC):%Y-%m-%d}, commit {commit() or 'unknown'}"
    return f"{stamp}\n\n" + _tables(given, with_prior(observed, None), recorded, pools, seen)


def _tables(
    given: argparse.Namespace,
    observed: Sequence[Observed],
    recorded: Sequence[RecordedPredictions],
    pools: Mapping[str, Sequence[str]],
    seen: frozenset[str] | None,
) -> str:
    from geosleuth.training.evaluate.calibration.folds import cross_validated

    contests = []
    for one in recorded:
        contests.append(contest(observed, one, processes=given.processes))
        logger.info("%s: fused", one.model)
    alone = cross_validated(observed).score(processes=given.processes)
    parts = ["## The agent against the model alone\n", contest_table(contests, pools), near_table(contests)]
    if seen is not None:
        parts += [f"### Without the {len(seen)} photos that a developer has looked at\n"]
        parts += [contest_table([one.without(seen) for one in contests], pools)]
    runs = {one.name: one.agent for one in contests}
    every = [row for rows in (*runs.values(), alone) for row in rows]
    parts += ["## Regions\n", region_table({**runs, "no model": alone, "all of them": every})]
    if len(contests) > 1:
        parts += ["## A model that nobody has measured\n", *_unmeasured(contests, given.processes)]
    first, of = next(iter(pools.items()), ("all models", [one.name for one in contests]))
    less = less_evidence([one for one in contests if one.name in of], processes=given.processes)
    parts += [f"## What each tool adds to {first}, and each type of its evidence\n", change_table("left out", less)]
    if given.pairs:
        fused = two_models(observed, contests, recorded, processes=given.processes)
        changes = {one.name: one.paired() for one in fused}
        parts += ["## Two models, against the agent with the better one\n", change_table("models", changes)]
    return "\n".join(parts)


def _unmeasured(contests: Sequence[Contest], processes: int) -> list[str]:
    rows = as_unmeasured(contests, processes=processes)
    every = [row for of in rows.values() for row in of]
    shares = ", ".join(f"{error.share:.4f} within {error.spread_km:g} km" for error in pooled_errors(contests))
    return [region_table({**rows, "all of them": every}), f"Points of all models together: {shares} (per axis).\n"]


def _pool(text: str, models: Sequence[str]) -> tuple[str, list[str]]:
    name, _, listed = text.partition("=")
    chosen = listed.split(",")
    if not listed or set(chosen) - set(models):
        wanted = f"a pool as NAME=MODEL,MODEL of {', '.join(models)}"
        raise InputError(wanted, repr(text), "Correct it, or leave --pool out.")
    return name, chosen


def _seen(listed: Path, files: Sequence[str]) -> frozenset[str]:
    try:
        names = {line.strip() for line in listed.read_text(encoding="utf-8").splitlines() if line.strip()}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("a list of photos, a name a line", f"{listed}: {error}", "Correct --seen.") from error
    strange = sorted(names - set(files))
    if strange:
        found = f"{len(strange)} names of no photo, the first {strange[0]!r}"
        raise InputError("names of the data set's photos", found, f"Correct {listed}.")
    return frozenset(names)


if __name__ == "__main__":
    raise SystemExit(main())
