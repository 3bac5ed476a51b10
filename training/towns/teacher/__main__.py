"""Serve the teacher of invented towns on this machine, until interrupted: rules, no model.

`python -m geosleuth.training.towns.teacher FOLDER --port 0` prints the URL to ask, such as http://127.0.0.1:40123/v1;
its model is "towns-rules". FOLDER is what `geosleuth towns` wrote. `--hallucinate 0.2 --seed 1` and the like make it
err: see `faults.py`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.towns.teacher.faults import FAULTS, Faults
from geosleuth.training.towns.teacher.pictures import Known
from geosleuth.training.towns.teacher.server import TeacherServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 2 is bad input."""
    given = _parser().parse_args(arguments)
    try:
        faults = Faults(**{name: getattr(given, name) for name in (*FAULTS, "stall_s", "retry_after_s", "seed")})
        server = TeacherServer(Known(given.folder), faults, given.port)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()  # whoever started this process reads it from a pipe
    try:
        server.serve_forever(0.1)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m geosleuth.training.towns.teacher", description=__doc__)
    parser.add_argument("folder", type=Path, help="what `geosleuth towns` wrote, or one of its layouts")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    plain = Faults()
    for name in FAULTS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=0.0, metavar="RATE")
    parser.add_argument("--stall-s", type=float, default=plain.stall_s)
    parser.add_argument("--retry-after-s", type=int, default=plain.retry_after_s)
    parser.add_argument("--seed", type=int, default=plain.seed, help="of the faults")
    return parser


if __name__ == "__main__":
    sys.exit(main())
