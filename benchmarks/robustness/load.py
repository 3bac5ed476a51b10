"""Load geosleuth as an office would, and see whether it stays upright: answer times, errors, and memory over time.

    python benchmarks/robustness/load.py chat                                   # 3 sessions at once, two rounds
    python benchmarks/robustness/load.py chat --sessions 20 --rounds 10
    python benchmarks/robustness/load.py batch                                  # 12 small photos
    python benchmarks/robustness/load.py batch --count 5000
    python benchmarks/robustness/load.py batch --count 200 --full-size          # 12 megapixels each
    python benchmarks/robustness/load.py index                                  # 60 photos, 3 adds, 4 readers
    python benchmarks/robustness/load.py index --count 2000 --steps 8 --readers 8

All photos are synthetic: parts of the street that geosleuth draws. Sessions of the chat are WebSockets that speak
Streamlit's messages, one for each question, so that the browser's own cost is not measured. Prints Markdown.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from load_batch import TWELVE_MP, measure_batch
from load_chat import measure_chat
from load_index import measure_index

SMALL = (640, 480)


def main() -> None:
    """Measure one part and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    chat = parts.add_parser("chat", help="sessions of the chat at once")
    chat.add_argument("--sessions", type=int, default=3)
    chat.add_argument("--rounds", type=int, default=2)
    chat.add_argument("--timeout-s", type=float, default=600.0, help="of one question, waiting included")
    batch = parts.add_parser("batch", help="a long batch")
    batch.add_argument("--count", type=int, default=12)
    batch.add_argument("--full-size", action="store_true", help=f"{TWELVE_MP} px, not {SMALL}")
    batch.add_argument("--workers", type=int)
    index = parts.add_parser("index", help="an index that grows while it is read")
    index.add_argument("--count", type=int, default=60)
    index.add_argument("--steps", type=int, default=3)
    index.add_argument("--readers", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geosleuth-load-") as scratch:
        sys.stdout.write(_measured(options, Path(scratch)))


def _measured(options: argparse.Namespace, folder: Path) -> str:
    if options.part == "chat":
        return measure_chat(folder, options.sessions, options.rounds, options.timeout_s)
    if options.part == "batch":
        return measure_batch(folder, options.count, TWELVE_MP if options.full_size else SMALL, options.workers)
    return measure_index(folder, options.count, options.steps, options.readers)


if __name__ == "__main__":
    main()
