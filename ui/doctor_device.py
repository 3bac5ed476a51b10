"""What models would run on: the GPU that torch finds, else the processor."""

from __future__ import annotations

import os
from importlib.util import find_spec

from pydantic import BaseModel, ConfigDict

_GUIDE = "docs/models.md#memory"


class Device(BaseModel):
    """Where models run on this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    """cuda, mps or cpu, as torch calls them."""
    name: str
    memory_bytes: int | None
    """All of it; None: unknown."""
    free_bytes: int | None
    """What no program holds now; None: unknown."""


def find_devices() -> tuple[Device, ...]:
    """Return the GPUs, or the processor where there is none; empty without torch, which finds them."""
    if find_spec("torch") is None:
        return ()
    import torch

    if torch.cuda.is_available():  # ROCm's too
        return tuple(_cuda(number) for number in range(torch.cuda.device_count()))
    memory = _memory_bytes()
    if torch.backends.mps.is_available():
        return (Device(kind="mps", name="Apple GPU", memory_bytes=memory, free_bytes=None),)  # shares the machine's
    return (Device(kind="cpu", name=f"{os.cpu_count()} cores", memory_bytes=memory, free_bytes=None),)


def device_lines(devices: tuple[Device, ...], needed_bytes: int) -> list[str]:
    """Write the devices, and whether weights of so many bytes have room on the first."""
    if not devices:
        return ["device     unknown without torch, which models need"]
    lines = []
    for device in devices:
        memory = "unknown memory" if device.memory_bytes is None else f"{device.memory_bytes / 1e9:.1f} GB"
        free = "" if device.free_bytes is None else f", {device.free_bytes / 1e9:.1f} GB of it free"
        none = "no GPU that torch finds: " if device.kind == "cpu" else ""
        lines.append(f"device     {none}{device.name}, {memory}{free}")
    room = devices[0].free_bytes or devices[0].memory_bytes
    if room is not None and needed_bytes > room:
        lines.append(f"           TOO SMALL for the roles' {needed_bytes / 1e9:.1f} GB of weights: {_GUIDE}")
    return lines


def _cuda(number: int) -> Device:
    import torch

    free, total = torch.cuda.mem_get_info(number)
    return Device(kind="cuda", name=torch.cuda.get_device_name(number), memory_bytes=total, free_bytes=free)


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None
