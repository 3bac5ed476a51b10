"""Time one photo: `--help`, a cold start in a fresh process, warm runs with the share of each tool.

    python benchmarks/photo.py                    # the street scene that geosleuth draws
    python benchmarks/photo.py PHOTO... --runs 5  # yours; medians over photos and runs
    python benchmarks/photo.py --scripts          # a drawn picture with lines in five other scripts (Noto fonts)

Prints a Markdown table. Run it alone: another busy program doubles the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

LIMITS_S = {"`geosleuth --help`": 0.5, "cold start": 12.0, "warm": 2.5, "warm, other scripts": 4.0}  # on 2 cores


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=3, help="of each measurement")
    parser.add_argument("--scripts", action="store_true", help="draw signs that Tesseract reads")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photos = options.photos or [_signs(Path(folder)) if options.scripts else _scene(Path(folder))]
        seconds = {
            "`geosleuth --help`": _process_s(["--help"], options.runs),
            "cold start": _process_s(["localize", str(photos[0]), "--json"], options.runs),
        }
        warm = "warm, other scripts" if options.scripts else "warm"
        seconds[warm], tools = _warm(photos, options.runs)
    sys.stdout.write(f"{len(photos)} photo(s), {options.runs} runs, medians, {os.cpu_count()} cores\n\n")
    sys.stdout.write("| what | s | limit s |\n|---|---|---|\n")
    for name, value in seconds.items():
        sys.stdout.write(f"| {name} | {value:.2f} | {LIMITS_S[name]} |\n")
    for name, value in tools.items():
        sys.stdout.write(f"| of which {name} | {value:.3f} ({value / seconds[warm]:.0%}) | |\n")


def _scene(folder: Path) -> Path:
    from geosleuth.ui.demo_scene import draw_scene

    path = folder / "street-scene.jpg"
    draw_scene().save(path, quality=92)
    return path


_LINES = {
    "NotoSans-Bold": ("АПТЕКА", "МОЛОЧНІ ПРОДУКТИ", "ΦΑΡΜΑΚΕΙΟ"),
    "NotoSerifThai-Bold": ("ร้านอาหาร",),
    "NotoSansHebrew-Bold": ("בית קפה",),
    "NotoSansDevanagari-Bold": ("दवा की दुकान",),
}


def _signs(folder: Path) -> Path:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (1280, 960), (120, 130, 125))
    draw = ImageDraw.Draw(picture)
    top = 60
    for font, texts in _LINES.items():
        path = f"/usr/share/fonts/truetype/noto/{font}.ttf"  # Debian's fonts-noto-core
        for text in texts:
            draw.rectangle((180, top - 10, 1100, top + 80), fill=(235, 235, 225))
            draw.text((200, top), text, font=ImageFont.truetype(path, 56), fill=(20, 30, 90))
            top += 140
    drawn = folder / "signs.png"
    picture.save(drawn)
    return drawn


def _process_s(arguments: list[str], runs: int) -> float:
    """Median seconds of a fresh process, from its start to its end; the first run fills the disk cache, uncounted."""
    seconds = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "geosleuth.ui.cli", *arguments], capture_output=True, check=False)
        seconds.append(time.perf_counter() - started)
        if done.returncode not in (0, 3):
            raise SystemExit(done.stderr.decode())
        if "--json" in arguments:
            json.loads(done.stdout)
    return statistics.median(seconds[1:])


def _warm(photos: list[Path], runs: int) -> tuple[float, dict[str, float]]:
    """Median seconds per photo with everything loaded, and of each tool; the rest is graph, belief and answer."""
    from geosleuth.agent.agent import Agent

    agent = Agent()
    agent.localize(photos[0])
    total: list[float] = []
    tools: dict[str, list[float]] = defaultdict(list)
    for photo in photos * runs:
        started = time.perf_counter()
        answer = agent.localize(photo)
        total.append(time.perf_counter() - started)
        for step in answer.trace:
            tools[step.tool].append(step.seconds)
        tools["the rest (decoding, graph, belief, answer)"].append(
            total[-1] - sum(step.seconds for step in answer.trace)
        )
    return statistics.median(total), {name: statistics.median(values) for name, values in tools.items()}


if __name__ == "__main__":
    main()
