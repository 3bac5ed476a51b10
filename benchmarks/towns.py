"""Measure how fast towns are drawn and written: pairs of a satellite tile and a panorama per second, as JPEG.

    python benchmarks/towns.py                       # both sizes, one process per core
    python benchmarks/towns.py --processes 1 --towns 8

Everything counts: starting the processes, drawing the towns, encoding, and forcing the files to the disk. Masks and
lists of objects are off. Targets: 30 pairs/s at 128 x 128 and 64 x 256 pixels, 3 at 384 x 384 and 384 x 768. Run it
alone.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from geosleuth.training.towns.write import write_towns

SIZES = {  # tile, panorama: pairs per second that are wanted, places of a town
    (128, (64, 256)): (30.0, 128),
    (384, (384, 768)): (3.0, 24),
}


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parser.add_argument("--processes", type=int, default=cores)
    parser.add_argument("--towns", type=int, default=8)
    parser.add_argument("--places", type=int, help="of each town; more or fewer for each size if not given")
    options = parser.parse_args()
    print(f"{options.processes} processes, {cores} cores, {options.towns} towns; load before: {_load()}\n")
    print("| tile px | panorama px | pairs | s | pairs/s | target | ratio | CPU s | pairs per CPU s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (tile, (height, width)), (target, places) in SIZES.items():
        before = _cpu_s()
        with tempfile.TemporaryDirectory() as scratch:
            report = write_towns(
                Path(scratch) / "towns",
                layouts=["cvusa"],  # a tile for each panorama, both as JPEG
                towns=options.towns,
                places=options.places or places,
                satellite_px=tile,
                panorama_px=(height, width),
                labels=False,
                processes=options.processes,
            )
        cpu_s = _cpu_s() - before
        rate = report.pairs["cvusa"] / report.seconds
        print(
            f"| {tile} x {tile} | {height} x {width} | {report.pairs['cvusa']} | {report.seconds:.1f} | {rate:.1f} "
            f"| {target:g} | {rate / target:.2f} | {cpu_s:.1f} | {report.pairs['cvusa'] / cpu_s:.1f} |"
        )


def _cpu_s() -> float:
    """Return what this process and those that have ended took: of a busy machine, it says more than the clock."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _load() -> str:
    """Say how busy the machine was in the last minute."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


if __name__ == "__main__":
    main()
