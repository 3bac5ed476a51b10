"""Lessons and settings as small as they can be: every run here takes a second or two."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model import Turn
from geosleuth.training.lora.config import AdapterConfig, LoraSettings, MachineConfig, StageConfig
from geosleuth.training.lora.lesson import Lesson

ANSWERS = ("France", "Japan", "Kenya", "Norway")


@dataclass
class Noise:
    """Invented lessons: pictures of noise, each with a country of its own."""

    count: int = 8
    broken: tuple[int, ...] = ()
    shift: int = 0  # of the answers

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Lesson:
        if index in self.broken:
            raise InputError("a picture", f"none: {index}", "Copy it again.")
        answer = ANSWERS[(index + self.shift) % 4]
        return Lesson((Turn("user", (picture(index), "Where?")), Turn("assistant", (answer,))))

    def about(self):
        return {"from": "noise", "lessons": self.count}


def picture(seed: int, height: int = 0):
    """Return noise of one to three tokens' height."""
    shape = (height or 28 * (1 + seed % 3), 56, 3)
    return np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)


def settings(base, *stages: StageConfig, **changes) -> AdapterConfig:
    """Settings of a run of a few steps."""
    machine = {"batch_size": 4, "accumulation": 2, "workers": 0, "gradient_checkpointing": False, "threads": 1}
    machine |= changes.pop("machine", {})
    return AdapterConfig(
        **{"name": "test", "base": f"dir:{base}", "max_length": 256, "max_pixels": 28 * 28 * 8} | changes,
        stages=stages or (stage("only"),),
        machine=MachineConfig(**machine),
    )


def stage(name: str, **changes) -> StageConfig:
    """A stage of two steps."""
    chosen = {"epochs": 2, "learning_rate": 0.01, "lora": LoraSettings(r=2, alpha=8)}
    return StageConfig(name=name, **chosen | changes)


@pytest.fixture(scope="session")
def tiny(tiny_models):
    """Folder of a tiny Qwen2.5-VL; one thread."""
    import torch

    torch.set_num_threads(1)
    return tiny_models.tiny_qwen()


@pytest.fixture(scope="session")
def kit():
    """What the tests of this folder share."""
    return SimpleNamespace(Noise=Noise, picture=picture, settings=settings, stage=stage, ANSWERS=ANSWERS)
