"""The claims of GeoReasoner's and GLEAM-X's papers on invented towns, each a table (synthetic).

    python -m geosleuth.training.adapter_claims all --work out/adapters --out docs/evidence/adapters.md

draws two worlds, trains a base from nothing on one of them, then adapters on the other. Killed, the same command goes
on.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.adapter_claims.tables import TABLES, make_tables

logger = logging.getLogger("geosleuth.training.adapter_claims")


def main(argv: list[str] | None = None) -> int:
    """Make tables; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="geosleuth.training.adapter_claims", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("table", choices=(*TABLES, "all"))
    parser.add_argument("--work", type=Path, default=Path("out/adapters"), help="folder of towns, base and runs")
    parser.add_argument("--out", type=Path, help="Markdown page whose sections are replaced; else stdout")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="runs at a time, a core each")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        make_tables(list(TABLES) if given.table == "all" else [given.table], given.work, given.out, given.processes)
    except InputError as error:
        logger.error("Wanted: %s\nFound:  %s\nDo:     %s", error.wanted, error.found, error.remedy)
        return 2
    except KeyboardInterrupt:
        logger.error("Interrupted. What is done is kept; the same command goes on from here.")
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
