"""Compare DistributedDataParallel and gathered features with DataParallel. Needs two GPUs or more.

    python benchmarks/dataparallel.py                          # ConvNeXt-B, 384 px, 128 pairs over all GPUs
    python benchmarks/dataparallel.py --backbone convnext_tiny --px 224 --pairs 64 --steps 20

The paper says that GLEAM-C's gather is over 5 times as fast as DataParallel; it does not say on what. Nobody has run
this yet: geosleuth claims no factor until somebody has. Both train one encoder (timm, random weights, bfloat16
autocast) on synthetic pictures (noise) that lie on the GPU: forward of both views, the symmetric InfoNCE over all
pairs, backward, AdamW. Decoding pictures is in neither. DataParallel: one process, which copies the weights to all GPUs
at each step, collects the features and computes the loss on the first one. Ours: a process per GPU, features gathered
with gradients, local loss. Prints pairs per second and their ratio; exits with 2 where there are fewer than two GPUs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WARM_UP = 5  # steps: kernels are chosen, memory is laid out, gradient buckets are put together


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="convnext_base", help="of timm, with random weights")
    parser.add_argument("--px", type=int, default=384)
    parser.add_argument("--pairs", type=int, default=128, help="of a batch, over all GPUs")
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    import torch

    gpus = torch.cuda.device_count()
    if gpus < 2:
        sys.stderr.write(
            f"Wanted two GPUs or more; found {gpus}. Run this on a machine that has them: on one, DataParallel is the "
            "model itself.\n"
        )
        sys.exit(2)
    if options.pairs % gpus:
        sys.stderr.write(f"Wanted --pairs that {gpus} GPUs share evenly; found {options.pairs}. Choose a multiple.\n")
        sys.exit(2)
    before = data_parallel(options)
    torch.cuda.empty_cache()
    ours = gathered(options, gpus)
    sys.stdout.write(
        f"{gpus} x {torch.cuda.get_device_name(0)}, {options.backbone}, {options.px} px, {options.pairs} pairs, "
        f"synthetic pictures, {options.steps} steps\n\n| how | pairs per s |\n|---|---|\n"
        f"| DataParallel | {before:.1f} |\n| DistributedDataParallel, gather with gradients | {ours:.1f} |\n"
        f"\nours / DataParallel = {ours / before:.2f}\n"
    )


def data_parallel(options: argparse.Namespace) -> float:
    """Return pairs per second of one process with all GPUs."""
    import torch

    device = torch.device("cuda", 0)
    body = encoder(options).to(device)
    return timed(torch.nn.DataParallel(body), body, device, options.pairs, options, rank=0, world_size=1)


def gathered(options: argparse.Namespace, processes: int) -> float:
    """Return pairs per second of a process per GPU."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(worker, (processes, folder, options), nprocs=processes)
        return float(Path(folder, "rate").read_text(encoding="ascii"))


def worker(rank: int, processes: int, folder: str, options: argparse.Namespace, backend: str = "nccl") -> None:
    """Train on one GPU; the first writes the rate."""
    import torch
    from torch import distributed

    device = torch.device("cuda", rank) if backend == "nccl" else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group(backend, init_method=f"file://{folder}/store", rank=rank, world_size=processes)
    try:
        body = encoder(options).to(device)
        model = torch.nn.parallel.DistributedDataParallel(body)
        pairs = options.pairs // processes
        rate = timed(model, body, device, pairs, options, rank=rank, world_size=processes)
        if rank == 0:
            Path(folder, "rate").write_text(str(rate), encoding="ascii")
    finally:
        distributed.destroy_process_group()


def encoder(options: argparse.Namespace) -> Any:
    """Make the network, the same in each process."""
    import timm
    import torch

    torch.manual_seed(1)
    return timm.create_model(options.backbone, num_classes=0)


def timed(
    model: Any, body: Any, device: Any, pairs: int, options: argparse.Namespace, *, rank: int, world_size: int
) -> float:
    """Take steps; return pairs per second over all processes."""
    import torch

    from geosleuth.training.gleam_c.loss import symmetric_info_nce

    optimiser = torch.optim.AdamW(body.parameters(), lr=1e-4)
    scale = torch.tensor(1 / 0.07, device=device)
    pictures = torch.randn(2 * pairs, 3, options.px, options.px, device=device)
    started = 0.0
    for step in range(WARM_UP + options.steps):
        if step == WARM_UP:
            wait(device)
            started = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16):
            features = torch.nn.functional.normalize(model(pictures).float(), dim=1)
        loss = symmetric_info_nce(*features.chunk(2), scale, rank=rank, world_size=world_size)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    wait(device)
    return pairs * world_size * options.steps / (time.perf_counter() - started)


def wait(device: Any) -> None:
    """Let the GPU finish."""
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
