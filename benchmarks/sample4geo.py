"""Train the same data side by side with Sample4Geo's own code and with GLEAM-C: pairs per second, recall@1.

    git clone https://github.com/Skyy93/Sample4Geo REPO     # figures in docs/evidence are of commit 498c6511
    python -m venv OLD      # for theirs; torch and timm as in this environment
    OLD/bin/pip install torch torchvision timm scipy scikit-learn transformers tqdm opencv-python-headless
    OLD/bin/pip install 'albumentations==1.4.*' 'pandas<3'
    geosleuth towns TOWNS --layout vigor --towns 24 --places 56 --satellite-px 64 --panorama-px 64x128 --no-labels
    python benchmarks/sample4geo.py --repo REPO --root TOWNS/vigor --python OLD/bin/python
    python benchmarks/sample4geo.py ... --epochs 2 --seeds 1 --workers 0     # minutes, and the recall is that of chance

Theirs is a process of its own that imports their modules: data set with its shuffle, transforms, model, loss, `train`,
`evaluate`, `calc_sim`. Only the order of the calls, which their script has, is written anew here. Their code needs
albumentations before 2 and pandas before 3, hence --python. It wants another form of VIGOR's folders; links make it.

Same in both: pictures, split (same-area), input sizes (tile PX x PX, panorama PX x 2 PX), backbone from random weights,
batch, epochs, AdamW with the same peak, warm-up (1 epoch), cosine and clipping, label smoothing, probabilities of
augmentation, similarity sampling (without GPS: its file is made by another script of theirs) renewed after the
same epochs, evaluation on the test split then, workers, threads. On a GPU theirs is fp16 with a scaler, ours bf16.
Not the same: weight decay is of all parameters in theirs, of matrices in ours; theirs normalises a test_* backbone by
timm's 0.5, ours by ImageNet's mean; theirs changes JPEG and mirror before resizing, ours after; the grid's holes on
panoramas are half a cell in theirs, 0.4 in ours; ours bounds the temperature and keeps the optimiser's state on disk.

Left out of theirs: its pauses (0.1 s and 0.3 s an epoch, for the progress bar), the bar itself, and the last search of
negatives, which nothing uses. The two take turns, seed by seed. "Steps" is training alone, the start of the loader's
workers among it; "whole" adds sampling, search of negatives, evaluation, saving. CPU seconds are of the whole, all
processes together: where a machine is shared they are steadier than the clock. "Prepared" is what one core reads and
augments without a network, in pairs per second of CPU. Recall@1 is that of the last weights.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CITIES = ("Chicago", "NewYork", "SanFrancisco", "Seattle")
ARMS = ("theirs", "ours")
PREPARED_PAIRS = 512
Options = argparse.Namespace
Result = dict[str, float]


def main() -> None:
    """Run the arms in turn, and print the table."""
    options = parsed()
    if options.arm:
        with contextlib.redirect_stdout(sys.stderr):  # their code prints
            found = {"theirs": theirs, "ours": ours}[options.arm](options)
        sys.stdout.write(json.dumps(found) + "\n")
        return
    results: dict[str, list[Result]] = {arm: [] for arm in ARMS}
    with tempfile.TemporaryDirectory() as scratch:
        link(options.root.resolve(), Path(scratch, "linked"))
        for seed in range(1, options.seeds + 1):
            for arm in ARMS[:: 1 if seed % 2 else -1]:
                results[arm].append(in_process(arm, seed, Path(scratch), options))
                sys.stderr.write(f"seed {seed} {arm}: {json.dumps(results[arm][-1])}\n")
    report(results, options)


def parsed() -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", type=Path, required=True, help="a checkout of Sample4Geo")
    parser.add_argument("--root", type=Path, required=True, help="a data set in VIGOR's form")
    parser.add_argument("--python", default=sys.executable, help="that has what their code needs")
    parser.add_argument("--backbone", default="test_convnext2", help="of timm, with random weights")
    parser.add_argument("--px", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--refresh", type=int, default=4, help="epochs from one search of negatives to the next")
    parser.add_argument("--neighbours", type=int, default=48, help="kept per query; half of them are selected")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only-prepare", action="store_true", help="time the pictures, and train nothing")
    for name in ("--arm", "--seed", "--scratch"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    return parser.parse_args()


def link(root: Path, linked: Path) -> None:
    """Make the form of VIGOR's folders that their code reads."""
    for kind, folder in (("ground", "panorama"), ("satellite", "satellite")):
        (linked / kind).mkdir(parents=True)
        for city in CITIES:
            own = root / city / folder
            (linked / kind / city).symlink_to(own if own.is_dir() else root / kind / city)
    (linked / "splits").symlink_to(root / "splits")


def in_process(arm: str, seed: int, scratch: Path, options: Options) -> Result:
    """Run an arm to its end; its result is its last line."""
    python = options.python if arm == "theirs" else sys.executable
    given = [*sys.argv[1:], "--arm", arm, "--seed", str(seed), "--scratch", str(scratch)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([python, __file__, *given], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{arm} failed:\n{done.stderr[-3000:]}")
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


def cpu_s() -> float:
    """Return the CPU seconds of this process and of its workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def prepared(loader: Any, batch: int) -> float:
    """Return the pairs that this process alone prepares in a CPU second."""
    taken, began = 0, time.process_time()
    for taken, _ in enumerate(loader, start=1):
        if taken * batch >= PREPARED_PAIRS:
            break
    return taken * batch / (time.process_time() - began)


def theirs(options: Options) -> Result:
    """Train with Sample4Geo's modules."""
    sys.path[0] = str(options.repo)  # in place of this file's folder: their package has this file's name
    import cv2
    import numpy as np
    import torch
    from sample4geo.dataset.vigor import VigorDatasetEval, VigorDatasetTrain
    from sample4geo.evaluate.vigor import calc_sim, evaluate
    from sample4geo.loss import InfoNCE
    from sample4geo.model import TimmModel
    from sample4geo.trainer import train
    from sample4geo.transforms import get_transforms_train, get_transforms_val
    from transformers import get_cosine_schedule_with_warmup

    def seeded() -> None:
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(int(options.seed))

    def loader(data: Any, batch: int, workers: int = options.workers) -> Any:
        return torch.utils.data.DataLoader(data, batch, num_workers=workers, pin_memory=has_gpu)

    def pictures(split: str, kind: str) -> Any:
        return loader(VigorDatasetEval(folder, split, kind, transforms=plain[kind == "query"]), 128)

    time.sleep = lambda _: None  # type: ignore[assignment]
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    folder, has_gpu = f"{options.scratch}/linked", torch.cuda.is_available()
    device = "cuda" if has_gpu else "cpu"
    config = SimpleNamespace(device=device, gpu_ids=(0,), verbose=False, clip_grad=100.0, scheduler="cosine")
    config.normalize_features, config.neighbour_range = True, options.neighbours
    seeded()
    model = TimmModel(options.backbone, pretrained=False, img_size=options.px).to(device)
    colours = {key: model.get_config()[key] for key in ("mean", "std")}
    sizes = (options.px, options.px), (options.px, 2 * options.px)
    plain = get_transforms_val(*sizes, **colours)
    tiles, panoramas = get_transforms_train(*sizes, **colours)
    data = VigorDatasetTrain(
        folder, transforms_query=panoramas, transforms_reference=tiles, prob_flip=0.5, prob_rotate=0.75,
        shuffle_batch_size=options.batch,
    )  # fmt: skip
    rate = prepared(loader(data, options.batch, workers=0), options.batch)
    if options.only_prepare:
        return {"prepared": rate}
    seeded()
    loss = InfoNCE(torch.nn.CrossEntropyLoss(label_smoothing=0.1), device=device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.lr)
    batches = loader(data, options.batch)
    schedule = get_cosine_schedule_with_warmup(optimiser, len(batches), len(batches) * options.epochs)
    scaler = torch.amp.GradScaler("cuda", init_scale=2.0**10) if has_gpu else None
    test = [pictures("test", kind) for kind in ("reference", "query")]
    searched = [pictures("train", kind) for kind in ("reference", "query")]
    similar, pairs, steps_s, best = None, 0, 0.0, -1.0
    began, cpu_before = time.monotonic(), cpu_s()
    for epoch in range(1, options.epochs + 1):
        data.shuffle(similar, neighbour_select=options.neighbours // 2, neighbour_range=options.neighbours)
        step_began = time.monotonic()
        train(config, model, batches, loss, optimiser, schedule, scaler)
        steps_s, pairs = steps_s + time.monotonic() - step_began, pairs + len(data)
        if epoch % options.refresh == 0 or epoch == options.epochs:
            recall = float(evaluate(config, model, *test))
            if recall > best:
                best = recall
                torch.save(model.state_dict(), f"{options.scratch}/theirs.pth")
            if epoch < options.epochs:
                _, similar = calc_sim(config, model, *searched)
    whole_s, used = time.monotonic() - began, cpu_s() - cpu_before
    return measured(pairs, steps_s, whole_s, used, rate, recall)


def ours(options: Options) -> Result:
    """Train as `geosleuth train gleam-c` does."""
    import cv2
    import timm  # noqa: F401  # imported before the clock starts, as in theirs
    import torch.utils.tensorboard  # noqa: F401

    from geosleuth.training.gleam_c.config import GleamCConfig
    from geosleuth.training.gleam_c.loop import train
    from geosleuth.training.gleam_c.pictures import pair_loader
    from geosleuth.training.gleam_c.sampling import batches
    from geosleuth.training.gleam_c.training_data import open_training_data

    cv2.setNumThreads(options.threads)
    data = {"set": "vigor", "root": str(options.root)}
    config = GleamCConfig.model_validate(
        {
            "name": "sample4geo",
            "epochs": options.epochs,
            "batch_size": options.batch,
            "seed": int(options.seed),
            "model": {"backbone": f"timm:{options.backbone}", "weights": "none"},
            "input": {
                **dict.fromkeys(("ground", "drone", "satellite", "map"), (options.px, options.px)),
                "panorama": (options.px, 2 * options.px),
            },
            "data": [{**data, "split": "same-train"}],
            "validation": [{**data, "split": "same-test"}],
            "sampling": {
                "gps_neighbours": False,
                "neighbours": options.neighbours,
                "select": options.neighbours // 2,
                "refresh_epochs": options.refresh,
            },
            "optimiser": {"lr": options.lr},
            "machine": {"workers": options.workers, "threads": options.threads},
        }
    )
    found = open_training_data(config.data)
    order = batches(found.places, None, batch_size=options.batch, select=2, seed=config.seed, epoch=0)
    loader = pair_loader(
        found.pairs, order, found.references[found.places], sizes=config.input.sizes(), augment=config.augment,
        seed=config.seed, epoch=0,
    )  # fmt: skip
    rate = prepared(loader, options.batch)
    if options.only_prepare:
        return {"prepared": rate}
    cpu_before = cpu_s()
    report = train(config, Path(options.scratch, f"ours-{options.seed}"))
    used = cpu_s() - cpu_before
    lines = [json.loads(line) for line in (report.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    recall = [line["VIGOR/same-test/recall@1"] for line in lines if "VIGOR/same-test/recall@1" in line][-1]
    return measured(report.pairs, report.pairs / report.pairs_per_s, report.seconds, used, rate, 100 * recall)


def measured(pairs: int, steps_s: float, whole_s: float, used_s: float, prepared_rate: float, recall: float) -> Result:
    """Return what both arms hand back."""
    return {
        "pairs": pairs,
        "steps": pairs / steps_s,
        "whole": pairs / whole_s,
        "cpu_s": 1000 * used_s / pairs,
        "prepared": prepared_rate,
        "recall": recall,
    }


def report(results: dict[str, list[Result]], options: Options) -> None:
    """Print the table: medians of the rates, mean and standard deviation of the recall."""
    middle = {arm: {key: statistics.median(one[key] for one in found) for key in found[0]}
              for arm, found in results.items()}  # fmt: skip
    if options.only_prepare:
        rates = [middle[arm]["prepared"] for arm in ARMS]
        sys.stdout.write(
            f"tile {options.px} x {options.px}, panorama {options.px} x {2 * options.px}: pairs that a core prepares "
            f"in a second, medians of {options.seeds}: theirs {rates[0]:,.1f}, ours {rates[1]:,.1f}, "
            f"ratio {rates[1] / rates[0]:.2f}\n"
        )
        return
    sys.stdout.write(
        f"{options.backbone} from random weights, tile {options.px} x {options.px}, panorama {options.px} x "
        f"{2 * options.px}, batches of {options.batch}, {options.epochs} epochs, {options.workers} workers, "
        f"{options.threads} threads of torch, {options.seeds} seeds; medians, recall: mean and standard deviation\n\n"
        "| trainer | pairs | pairs/s, steps | pairs/s, whole | CPU s for 1,000 pairs | pairs/s prepared by a core "
        "| recall@1, % |\n|---|---|---|---|---|---|---|\n"
    )
    for arm, row in middle.items():
        recalls = [one["recall"] for one in results[arm]]
        spread = statistics.stdev(recalls) if len(recalls) > 1 else float("nan")
        sys.stdout.write(
            f"| {arm} | {row['pairs']:,.0f} | {row['steps']:,.1f} | {row['whole']:,.1f} | {row['cpu_s']:,.1f} | "
            f"{row['prepared']:,.0f} | {statistics.fmean(recalls):.1f} ± {spread:.1f} |\n"
        )
    ratios = {key: middle["ours"][key] / middle["theirs"][key] for key in ("steps", "whole", "prepared")}
    ratios["CPU"] = middle["theirs"]["cpu_s"] / middle["ours"]["cpu_s"]
    said = ", ".join(f"{ratio:.2f} ({key})" for key, ratio in ratios.items())
    sys.stdout.write(f"\nours over theirs, above 1 is faster: {said}\n")


if __name__ == "__main__":
    main()
