"""Measure `Agent.localize_many` against a loop of `Agent.localize`, each in a fresh process, loading included.

    python benchmarks/batch.py --photos FOLDER            # the first 200 photos of a folder
    python benchmarks/batch.py --count 10                 # 10 street scenes that geosleuth draws, no two alike

Targets on 2 cores: 1.2 times the loop at its default threads, 1.6 times the loop at one thread. Run it alone: another
busy program takes more from two processes than from one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

MODES = {
    "many": "`localize_many`",
    "loop": "loop of `localize`, default threads",
    "loop1": "loop of `localize`, one thread",
}


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a folder; scenes are drawn where none is named")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--workers", type=int, help="of localize_many")
    parser.add_argument("--mode", choices=MODES, help=argparse.SUPPRESS)  # the child's part
    options = parser.parse_args()
    if options.mode:
        print(json.dumps(_measure(options.mode, options.photos, options.count, options.workers)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.photos or _draw(Path(scratch), options.count)
        found = {mode: _child(mode, folder, options.count, options.workers) for mode in MODES}
    print(f"{found['many']['photos']} photos, {os.cpu_count()} cores\n")
    print("| what | s | CPU s | photos/s | localize_many is |\n|---|---|---|---|---|")
    for mode, words in MODES.items():
        seconds, cpu_s = found[mode]["seconds"], found[mode]["cpu_s"]
        ratio = "" if mode == "many" else f"{seconds / found['many']['seconds']:.2f} times as fast"
        print(f"| {words} | {seconds:.1f} | {cpu_s:.1f} | {found[mode]['photos'] / seconds:.2f} | {ratio} |")
    names = sorted(found["many"]["tools"], key=lambda name: -found["many"]["tools"][name])
    print("\n| seconds per photo | " + " | ".join(MODES) + " |\n|---|" + "---|" * len(MODES))
    for name in names:
        print(f"| {name} | " + " | ".join(f"{found[mode]['tools'].get(name, 0.0):.3f}" for mode in MODES) + " |")


def _child(mode: str, folder: Path, count: int, workers: int | None) -> dict:
    from geosleuth.agent.batch.threads import thread_environment

    command = [sys.executable, __file__, "--mode", mode, "--photos", str(folder), "--count", str(count)]
    command += ["--workers", str(workers)] if workers else []
    environment = os.environ | (thread_environment(1) if mode == "loop1" else {})
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def _measure(mode: str, folder: Path, count: int, workers: int | None) -> dict:
    """Seconds of the whole run, and of each tool per photo."""
    started = time.perf_counter()
    if mode == "loop1":
        from geosleuth.agent.batch.threads import limit_threads

        limit_threads(1)
    from geosleuth.agent.agent import Agent
    from geosleuth.indexes.errors import InputError
    from geosleuth.indexes.gallery.sources.folder import photo_paths

    paths = list(itertools.islice(photo_paths(folder), count))
    agent = Agent()
    answers = []
    if mode == "many":
        with tempfile.TemporaryDirectory() as scratch:  # with its journal and its table, as it is used
            out = Path(scratch) / "out.parquet"
            answers = [row.localization for row in agent.localize_many(paths, workers=workers, out=out)]
    else:
        for path in paths:
            try:
                answers.append(agent.localize(path))
            except InputError:
                answers.append(None)
    seconds = time.perf_counter() - started
    tools: dict[str, float] = defaultdict(float)
    for answer in filter(None, answers):
        for step in answer.trace:
            tools[step.tool] += step.seconds / len(answers)
        tools["decoding, belief, answer"] += (answer.seconds - sum(s.seconds for s in answer.trace)) / len(answers)
    used = os.times()  # of the workers, too, which have ended
    cpu_s = used.user + used.system + used.children_user + used.children_system
    return {"seconds": seconds, "cpu_s": cpu_s, "photos": len(answers), "tools": tools}


def _draw(folder: Path, count: int) -> Path:
    """Street scenes whose crops and brightness differ, so that no two files are equal."""
    from PIL import ImageEnhance

    from geosleuth.ui.demo_scene import draw_scene

    scene = draw_scene()
    for number in range(count):
        part = scene.crop((number % 40, number % 30, scene.width - number % 50, scene.height - number % 20))
        ImageEnhance.Brightness(part).enhance(0.8 + 0.4 * number / count).save(folder / f"{number:05d}.jpg", quality=90)
    return folder


if __name__ == "__main__":
    main()
