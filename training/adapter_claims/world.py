"""The two worlds of the claims and the base: drawn and trained once."""

from __future__ import annotations

import hashlib
from pathlib import Path

from geosleuth.training.small_vlm.__main__ import make_base
from geosleuth.training.towns.write import write_towns

BASE, BASE_TOWNS, TOWNS = "base", "base_towns", "towns"
PLACES = 16  # of each of the towns that adapters are taught with; a place's number begins with its town's
_PX = 112  # four tokens of 28 px a side


def prepare(work: Path, processes: int) -> Path:
    """Draw what is not drawn yet, and train the base unless it is there.

    Returns:
        The folder of the runs: another base, or other towns, have another.

    Raises:
        InputError: A folder is in use, or the disk takes no more.
    """
    # A country is learned from many towns with few views of each: on linear probes of colours, two thirds more towns
    # raised the share of other towns' views whose country is right from 25 to 30 %. No two worlds share a town.
    for name, towns, places, seed in ((BASE_TOWNS, 64, 40, 7), (TOWNS, 256, PLACES, 11)):
        write_towns(
            work / name,
            layouts=("street_views", "university1652"),
            towns=towns,
            places=places,
            seed=seed,
            difficulty=0.0,
            street_px=(_PX, 168),
            satellite_px=_PX,
            drone_px=_PX,
            drone_views=1,
            street_views=1,
            processes=processes,
        )
    if not (work / BASE).exists():
        make_base(work / BASE_TOWNS, work / BASE)
    of = [work / BASE / "model.safetensors", work / BASE / "tokenizer.json", work / TOWNS / "towns.json"]
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in of]
    return work / f"runs-{hashlib.sha256(b''.join(digests)).hexdigest()[:8]}"
