"""The settings of a GLEAM-C run, read from a TOML file; phase 1 and phase 2 are two such files and one loop."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import VIEWS, View

Side = Annotated[int, Field(ge=32, le=4096)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")  # a misspelt setting is an error


class ModelConfig(_Part):
    """The shared encoder."""

    backbone: str = "timm:convnext_base.fb_in22k_ft_in1k_384"  # timm:NAME or hf:ORG/NAME, one for all views
    weights: str = "published"  # "published"; "none" starts at random; dir:RUN goes on from a run: phase 2
    gradient_checkpointing: bool = False  # activations are computed anew in the backward pass: far less memory


class InputConfig(_Part):
    """(height, width) in pixels of each view; a picture is squeezed into it."""

    ground: tuple[Side, Side] = (384, 384)
    panorama: tuple[Side, Side] = (384, 768)
    drone: tuple[Side, Side] = (384, 384)
    satellite: tuple[Side, Side] = (384, 384)
    map: tuple[Side, Side] = (384, 384)

    def sizes(self) -> dict[View, tuple[int, int]]:
        """Return the size of each view."""
        return {view: getattr(self, view) for view in VIEWS}


class DataConfig(_Part):
    """One data set of the mix."""

    set: str  # a name of datasets/open.py
    root: Path
    split: str
    weight: Positive | None = None  # of its pairs in an epoch, relative to the others; None: as many as it has
    # Of a modality among the pairs of this set, by name; the others weigh 1.
    modality_weights: dict[str, Positive] = {}


class AugmentConfig(_Part):
    """Probabilities, and how strong; Sample4Geo's."""

    jpeg: Share = 0.5  # quality 90 to 100
    colour: Share = 0.5  # brightness, contrast, saturation, hue by up to 0.15
    blur_or_sharpen: Share = 0.3
    dropout: Share = 0.3  # grid or coarse
    flip: Share = 0.5  # both pictures
    turn: Share = 0.75  # the tile by k x 90 degrees, and the panorama rolled by as much


class SamplingConfig(_Part):
    """How batches are put together."""

    gps_neighbours: bool = True  # until the first refresh: batches of places that lie near each other
    dss: bool = True  # from then on: of places that look alike to the encoder
    neighbours: Annotated[int, Field(ge=2)] = 128  # kept per query
    select: Annotated[int, Field(ge=2)] = 64  # of them in a batch: the nearest half, and as many of the rest by chance
    refresh_epochs: Annotated[int, Field(ge=1)] = 4


class OptimiserConfig(_Part):
    """AdamW with warm-up and cosine to 0."""

    lr: Positive = 1e-3  # 1e-4 for vision transformers
    weight_decay: Annotated[float, Field(ge=0)] = 0.01  # torch's default, which Sample4Geo leaves
    warmup_epochs: Annotated[float, Field(ge=0)] = 1.0
    clip_value: Positive | None = 100.0  # of each gradient


class LossConfig(_Part):
    """Symmetric InfoNCE."""

    temperature: Positive = 0.07  # at the start; learned
    max_scale: Positive = 100.0  # of 1 / temperature
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    local: bool = True  # each process compares its own rows with all columns; false: all with all, everywhere
    gather_gradients: bool = True  # False, for the comparison alone: the other processes' features are constants


class MachineConfig(_Part):
    """What changes the speed, and not what is computed (but for rounding)."""

    amp: Literal["bf16", "off"] = "bf16"  # used on a GPU alone
    compile: bool = False
    workers: Annotated[int, Field(ge=0)] = 4  # processes that decode pictures, per training process
    threads: Annotated[int, Field(ge=1)] | None = None  # of torch on a CPU; None: all cores


class GleamCConfig(_Part):
    """A whole run."""

    name: str
    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=2)] = 128  # pairs, over all processes
    seed: int = 1
    max_steps: Annotated[int, Field(ge=1)] | None = None  # ends earlier, with the whole schedule in that many steps
    checkpoint_minutes: Positive = 10.0
    model: ModelConfig = ModelConfig()
    input: InputConfig = InputConfig()
    data: Annotated[tuple[DataConfig, ...], Field(min_length=1)]
    validation: tuple[DataConfig, ...] = ()
    augment: AugmentConfig = AugmentConfig()
    sampling: SamplingConfig = SamplingConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    loss: LossConfig = LossConfig()
    machine: MachineConfig = MachineConfig()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.sampling.select > self.sampling.neighbours:
            raise ValueError("sampling.select exceeds sampling.neighbours")
        return self


def read_config(path: Path) -> GleamCConfig:
    """Read a configuration; paths in it that are relative are so to the working directory, as in all commands.

    Raises:
        InputError: There is no such file, it is no TOML, or a setting is unknown or out of range.
    """
    try:
        return GleamCConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']} (given {str(one['input'])[:80]})"
            for one in error.errors()[:5]
        )
        remedy = "Correct it; training/gleam_c/config.py explains every setting."
        raise InputError(f"the settings of a GLEAM-C run in {path}", found, remedy) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        remedy = "Name a file like those in training/gleam_c/configs."
        raise InputError(f"a TOML file of settings in {path}", f"none ({error})", remedy) from error
