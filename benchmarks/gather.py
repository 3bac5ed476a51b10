"""Compare the gather with gradients with the plain gather on CPU processes over gloo: bytes moved, time a step.

    python benchmarks/gather.py                         # 2 processes, 64 pairs each, 1024-D; a minute
    python benchmarks/gather.py --rows 16 --steps 20    # less
    python benchmarks/gather.py --processes 4 --px 96

A step is of synthetic pictures (noise), because only its time is asked: both views through one encoder, the symmetric
InfoNCE of all processes' features, backward, the mean of the gradients (DistributedDataParallel). "features" is the
same without encoder: random unit features, the loss and its gradients, so that the gather is not lost in the rest.
With gradients, what a row does to the other processes' losses comes back to it (a reduce-scatter in the backward pass);
plain, it is lost, and the step is not that of one process (tests/training/gleam_c/test_gather.py).

Bytes are what one process sends in a step, with b rows of query and reference, d floats each, in W processes: the
gather takes (W - 1) 8bd; with gradients a reduce-scatter adds as many on NCCL, and twice as many on gloo, which does it
by an all-reduce. They are computed so, and counted: written to sockets as Linux counts it in /proc/self/io (a message's
own overhead and, with the encoder, the gradients of its weights are among them). The two kinds take turns, step by
step; times are medians of the first process. Each process has one thread. Run it alone.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

KINDS = (True, False)  # gather_gradients


def main() -> None:
    """Start the processes; the first one prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rows", type=int, default=64, help="pairs per process")
    parser.add_argument("--width", type=int, default=1024, help="of an embedding")
    parser.add_argument("--backbone", default="test_convnext", help="of timm, with random weights")
    parser.add_argument("--px", type=int, default=64)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--store", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rank is not None:
        work(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder, "store"))
        command = [sys.executable, __file__, *sys.argv[1:], "--store", store]
        running = [subprocess.Popen([*command, "--rank", str(rank)]) for rank in range(options.processes)]
        try:
            sys.exit(max(abs(one.wait()) for one in running))
        finally:
            for one in running:
                one.kill()


def work(options: argparse.Namespace) -> None:
    """Take the steps of one process."""
    import torch
    from torch import distributed

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(options.rank)
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{options.store}",
        rank=options.rank,
        world_size=options.processes,
        timeout=timedelta(minutes=5),
    )
    try:
        rows = [measured(name, step, options) for name, step in steps(options).items()]
        if options.rank == 0:
            report(rows, options)
        distributed.barrier()
    finally:
        distributed.destroy_process_group()


def steps(options: argparse.Namespace) -> dict[str, Callable[[bool], None]]:
    """Return what is timed: functions of gather_gradients."""
    import timm
    import torch

    from geosleuth.training.gleam_c.loss import symmetric_info_nce

    scale = torch.tensor(1 / 0.07)
    unit = torch.nn.functional.normalize
    features = [torch.randn(options.rows, options.width, requires_grad=True) for _ in range(2)]

    def loss(queries: Any, references: Any, gradients: bool) -> Any:
        return symmetric_info_nce(
            unit(queries, dim=1),
            unit(references, dim=1),
            scale,
            rank=options.rank,
            world_size=options.processes,
            gather_gradients=gradients,
        )

    class Encoder(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.body = timm.create_model(options.backbone, num_classes=options.width)

        def forward(self, pictures: Any, gradients: bool) -> Any:
            return loss(*self.body(pictures).chunk(2), gradients)

    encoder = torch.nn.parallel.DistributedDataParallel(Encoder())
    pictures = torch.randn(2 * options.rows, 3, options.px, options.px)

    def of_features(gradients: bool) -> None:
        loss(*features, gradients).backward()

    def of_pictures(gradients: bool) -> None:
        encoder.zero_grad()
        encoder(pictures, gradients).backward()

    millions = sum(weights.numel() for weights in encoder.parameters()) / 1e6
    return {"features": of_features, f"{options.backbone} ({millions:.1f} M), {options.px} px": of_pictures}


def measured(name: str, step: Callable[[bool], None], options: argparse.Namespace) -> tuple[str, list[list[float]]]:
    """Return for each kind its median seconds and the bytes written in a step."""
    from torch import distributed

    for kind in KINDS * 3:
        step(kind)
    seconds: dict[bool, list[float]] = {kind: [] for kind in KINDS}
    sent: dict[bool, list[int]] = {kind: [] for kind in KINDS}
    for _ in range(options.steps):
        for kind in KINDS:
            distributed.barrier()
            bytes_before, started = written_bytes(), time.perf_counter()
            step(kind)
            seconds[kind].append(time.perf_counter() - started)
            sent[kind].append(written_bytes() - bytes_before)
    return name, [[statistics.median(seconds[kind]), statistics.median(sent[kind])] for kind in KINDS]


def written_bytes() -> int:
    """Return what this process has written, to sockets as well; 0 where the system does not count it."""
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


def report(rows: list[tuple[str, list[list[float]]]], options: argparse.Namespace) -> None:
    """Print the table."""
    one_way = (options.processes - 1) * options.rows * 2 * options.width * 4
    sys.stdout.write(
        f"{options.processes} gloo processes on the CPU, {options.rows} pairs each, {options.width}-D, synthetic "
        f"pictures, medians of {options.steps} steps; bytes are those that one process sends in a step\n\n"
        "| step | gather | ms | kB of the gather, computed | kB sent in all, counted |\n|---|---|---|---|---|\n"
    )
    for name, kinds in rows:
        for with_gradients, (seconds, sent) in zip(KINDS, kinds, strict=True):
            kind, computed = ("with gradients", 3 * one_way) if with_gradients else ("plain", one_way)
            sys.stdout.write(f"| {name} | {kind} | {seconds * 1e3:.1f} | {computed / 1e3:.0f} | {sent / 1e3:.0f} |\n")
    sys.stdout.write("\ntime with gradients / plain: ")
    sys.stdout.write(", ".join(f"{kinds[0][0] / kinds[1][0]:.2f} ({name})" for name, kinds in rows) + "\n")


if __name__ == "__main__":
    main()
