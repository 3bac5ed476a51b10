"""The most memory that a piece of work held: of the GPU where torch has one, else of the process."""

from __future__ import annotations

import resource
from pathlib import Path


def reset_peak(device: str) -> None:
    """Let the peak begin anew; where the system cannot, it stays that of the whole process."""
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()
        return
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # Linux: 5 resets the high-water mark
    except OSError:
        return


def peak_bytes(device: str) -> int:
    """Return the peak since then, weights included."""
    if device == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated())
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
