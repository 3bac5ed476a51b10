"""Train on invented towns (synthetic), index tiles of other towns, and have the agent locate photos of these.

    python -m geosleuth.training.gleam_c.end_to_end --work out/end_to_end --out docs/evidence/gleam_c.md

On a CPU, in some minutes a stage: draws both worlds, trains an encoder by configs/towns.toml, builds an index of the
held-out towns' satellite tiles with it and one with the ImageNet encoder that ships, searches both for every held-out
photo, and asks the agent about some. All of it is kept in --work; the same command goes on where it was.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from geosleuth.agent.agent import Agent
from geosleuth.agent.localization import Status
from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.build import build_index
from geosleuth.indexes.gallery.manifest import MANIFEST
from geosleuth.indexes.gallery.sources.open import open_source
from geosleuth.training.gleam_c.claims.page import replaced
from geosleuth.training.gleam_c.config import GleamCConfig, read_config
from geosleuth.training.gleam_c.export import export_encoder
from geosleuth.training.gleam_c.held_out import held_out_photos, spread
from geosleuth.training.gleam_c.located import Located, asked_agent, located, ranks
from geosleuth.training.gleam_c.loop import train
from geosleuth.training.gleam_c.progress import RunReport, TrainingProgress
from geosleuth.training.gleam_c.shared_encoder import shared_encoder
from geosleuth.training.towns.write import TownsProgress, write_towns

logger = logging.getLogger("geosleuth.training.gleam_c.end_to_end")

CONFIG = Path(__file__).parent / "configs" / "towns.toml"
KINDS = {"setvl": "street photos", "vigor": "panoramas"}  # data sets of towns, and what their queries are called
TRAINED, UNTRAINED, IMAGENET = "GLEAM-C, trained here", "the same, not trained", "ImageNet (`embedded`)"
_ENCODERS = (TRAINED, UNTRAINED, IMAGENET)
_SEED, _HELD_OUT_SEED = 1, 2  # two worlds have no town in common
_ASKED = (
    *("photos", "encoder", "asked", "its own tile first", "among the first 5", "whole gallery: first"),
    *("point within 50 m", "1 km", "25 km", "localized / coarse / not locatable"),
)
_AGENT = """\
The agent, with its defaults, was asked about some of them; it sees a file without a telling name, a time or a position.
Counts of photos:"""
_WHY = """\
To the agent a candidate is no evidence, and between a photo and a tile there are no features to verify a match by: the
answer's point stays where clues and prior put it. Countries are real codes with invented looks, which may mislead
the prior, and with it the part of the gallery that is searched and the order of the candidates. "Whole gallery" is the
search without them, by similarity alone, for the same photos."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How large it all is."""

    towns: int = 24  # to train on
    held_out: int = 5
    places: int = 130  # of each training town and layout: a town of 512 m has room for about a hundred
    held_out_places: int = 60
    queries: int = 6  # street photos of a cell
    difficulty: float = 0.2  # of the towns, 0 to 1
    side_m: float = 512.0  # of a town
    photos: int = 300  # of each kind, searched for
    asked: int = 40  # of each kind, shown to the agent: it takes seconds a photo


@dataclass(frozen=True)
class Found:
    """What an encoder and its index are worth for one kind of photo."""

    encoder: str
    kind: str
    tiles: int
    ranks: dict[Path, int]  # of the photos' own tiles in the whole gallery, by similarity alone
    located: dict[Path, Located]  # what the agent said of some of them; empty: it was not asked


def main(argv: list[str] | None = None) -> int:
    """Do it all; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="geosleuth.training.gleam_c.end_to_end",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--work", type=Path, default=Path("out/end_to_end"), help="folder for all that is made")
    parser.add_argument("--config", type=Path, default=CONFIG, help="settings of the run; roots are taken in --work")
    parser.add_argument("--out", type=Path, help="Markdown page whose section is replaced; else stdout")
    usual = Scale()
    for name, value in (("towns", usual.towns), ("held-out", usual.held_out), ("asked", usual.asked)):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{value} if not given")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that draw towns")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    scale = Scale(towns=given.towns, held_out=given.held_out, asked=given.asked)
    try:
        text = end_to_end(given.work, read_config(given.config), scale, processes=given.processes)
    except InputError as error:
        logger.error("Wanted: %s\nFound:  %s\nDo:     %s", error.wanted, error.found, error.remedy)
        return 2
    except KeyboardInterrupt:
        logger.error("Interrupted. What is done is kept; the same command goes on from here.")
        return 130
    if given.out is None:
        sys.stdout.write(text)
    else:
        replaced(given.out, "end_to_end", text)
    return 0


def end_to_end(
    work: Path, config: GleamCConfig, scale: Scale, *, processes: int = 1, agent: Callable[[str], Agent] = asked_agent
) -> str:
    """Draw, train, index, search, ask; return the section of the page.

    Args:
        work: Folder for all that is made; what is there is not made again.
        config: Of the run; its roots are taken relative to `work`, and name data sets of the world `towns`.
        scale: How large.
        processes: That draw towns.
        agent: Makes the agent that searches an index.

    Raises:
        InputError: `work` holds a run with other settings, a package is missing, or the disk is full.
    """
    _draw(work / "towns", config, scale, _SEED, scale.towns, scale.places, processes)
    _draw(work / "held_out", config, scale, _HELD_OUT_SEED, scale.held_out, scale.held_out_places, processes)
    data = tuple(one.model_copy(update={"root": work / one.root}) for one in config.data)
    run = train(config.model_copy(update={"data": data}), work / "run", on_progress=_told())
    specs = {TRAINED: f"dir:{work / 'run'}", UNTRAINED: _untrained(config, work / "untrained"), IMAGENET: "embedded"}
    found = [_found(name, spec, layout, work, scale, agent) for layout in KINDS for name, spec in specs.items()]
    return _section(config, scale, run, found)


def _draw(folder: Path, config: GleamCConfig, scale: Scale, seed: int, towns: int, places: int, processes: int) -> None:
    def tell(moment: TownsProgress) -> None:
        logger.info("%s: %d of %d towns", folder.name, moment.done, moment.towns)

    write_towns(
        folder,
        layouts=tuple(KINDS),
        towns=towns,
        places=places,
        seed=seed,
        difficulty=scale.difficulty,
        side_m=scale.side_m,
        satellite_px=config.input.satellite[0],
        panorama_px=config.input.panorama,
        street_px=config.input.ground,
        queries=scale.queries,
        labels=False,
        processes=processes,
        on_progress=tell,
    )


def _told() -> Callable[[TrainingProgress], None]:
    """Say now and then how the training goes."""
    last = 0.0

    def tell(moment: TrainingProgress) -> None:
        nonlocal last
        if moment.loss is not None and time.monotonic() - last > 10:
            last = time.monotonic()
            logger.info("epoch %d, loss %.2f, %.0f s left", moment.epoch, moment.loss, moment.eta_s or 0.0)

    return tell


def _untrained(config: GleamCConfig, folder: Path) -> str:
    """Export the encoder with the weights that the run began with: what the towns tell without any learning."""
    if not (folder / "encoder").exists():
        import_torch().manual_seed(config.seed)
        export_encoder(shared_encoder(config.model, config.input), folder / "encoder", about="not trained")
    return f"dir:{folder}"


def _found(name: str, spec: str, layout: str, work: Path, scale: Scale, agent: Callable[[str], Agent]) -> Found:
    root, kept = work / "held_out" / layout, work / "found" / layout
    index = work / "indexes" / f"{layout}-{_ENCODERS.index(name)}"
    if not (index / MANIFEST).exists():
        build_index(open_source(root / "gallery.csv", root=root), index, encoder=spec)
    photos = held_out_photos(root, work / "photos" / layout, scale.photos)
    asked = spread(photos, scale.asked) if name != UNTRAINED else []
    logger.info("%s: %d %s", name, len(photos), KINDS[layout])

    def tell(done: int) -> None:
        logger.info("%s: the agent has seen %d of %d %s", name, done, len(asked), KINDS[layout])

    tiles = sum(1 for _ in (root / "gallery.csv").open(encoding="utf-8")) - 1
    answers = located(asked, index, kept, agent=agent, on_done=tell) if asked else {}
    return Found(name, KINDS[layout], tiles, ranks(photos, index, kept), answers)


def _section(config: GleamCConfig, scale: Scale, run: RunReport, found: Sequence[Found]) -> str:
    trained = (
        f"Invented towns (synthetic). {config.model.backbone} from random weights, {run.steps:,} steps of "
        f"{config.batch_size} pairs from {scale.towns} towns, {run.seconds / 60:.1f} min on a CPU. Photos and "
        f"satellite tiles of {scale.held_out} other towns; a photo is found when the tile it lies on comes first."
    )
    lines = [
        "## End to end: the agent and towns that the encoder never saw",
        "",
        trained,
        "",
        "| photos | encoder | photos × tiles | recall@1 | recall@5 | recall@10 | chance@1 |",
        "|---|---|---|---|---|---|---|",
        *map(_searched, found),
        "",
        _AGENT,
        "",
        "| " + " | ".join(_ASKED) + " |",
        "|---" * len(_ASKED) + "|",
        *[_asked(one) for one in found if one.located],
        "",
        _WHY,
        "",
        f"`python -m geosleuth.training.gleam_c.end_to_end`; {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores.",
        "",
    ]
    return "\n".join(lines)


def _searched(one: Found) -> str:
    shares = " | ".join(
        f"{100 * sum(rank <= k for rank in one.ranks.values()) / len(one.ranks):.1f} %" for k in (1, 5, 10)
    )
    size = f"{len(one.ranks):,} × {one.tiles:,}"
    return f"| {one.kind} | {one.encoder} | {size} | {shares} | {100 / one.tiles:.2f} % |"


def _asked(one: Found) -> str:
    """Write counts, not shares: they are few."""
    answers = one.located.values()
    by_rank = [sum(a.rank is not None and a.rank <= k for a in answers) for k in (1, 5)]
    alone = sum(one.ranks[path] == 1 for path in one.located)
    near = [sum(a.off_km is not None and a.off_km <= km for a in answers) for km in (0.05, 1.0, 25.0)]
    statuses = [sum(a.status == status for a in answers) for status in get_args(Status)]
    cells = [one.kind, one.encoder, len(answers), *by_rank, alone, *near, " / ".join(map(str, statuses))]
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    raise SystemExit(main())
