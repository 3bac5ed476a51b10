"""The settings of a LoRA training, read from a TOML file: a base, and stages that are trained one after the other.

Defaults are GeoReasoner's (arXiv 2406.18572, its public settings): 5 epochs, 80 lessons a step, rank 64.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError

Kind = Literal["reasoned", "street_views", "verdicts"]
StreetLevel = Literal["none", "coordinates", "cell"]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
_STAGE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
RESERVED = "training"  # the run's own folder beside the stages' adapters


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")  # a misspelt setting is an error


class SourceConfig(_Part):
    """One file of lessons."""

    kind: Kind  # reasoned: clues with their picture; street_views: geotagged pictures; verdicts: GLEAM-X's pairs
    path: Path  # of the file; of street_views also a folder
    root: Path | None = None  # where the pictures are that the file names; None: beside the file
    explanations: bool = True  # of verdicts: False teaches the label alone
    split: str | None = None  # of street_views whose table has that column; None: all, those held out as well
    name_cities: bool = False  # of street_views without a city: name the one that the gazetteer has there
    street_level: StreetLevel = "none"  # of reasoned and street_views: what is said beyond country and city
    limit: Annotated[int, Field(ge=1)] | None = None  # lessons, drawn with the stage's seed; None: all
    weight: Positive | None = None  # of its lessons in an epoch, relative to the others; None: as many as it has


class LoraSettings(_Part):
    """The adapter's own size."""

    r: Annotated[int, Field(ge=1)] = 64  # rank of the two factors
    alpha: Positive = 16.0  # the change of a weight is alpha / r times their product
    dropout: Share = 0.05
    vision: bool = False  # train the vision tower's projections as well; false: it is frozen


class StageConfig(_Part):
    """One adapter and how it is trained; those of the stages before it work meanwhile, and stay as they are."""

    name: str  # the adapter's folder in the run
    data: tuple[SourceConfig, ...] = ()  # empty only where the caller brings the lessons
    epochs: Positive = 5.0
    max_steps: Annotated[int, Field(ge=1)] | None = None  # ends earlier, with the schedule in that many steps
    learning_rate: Positive = 1e-5
    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    warmup_ratio: Share = 0.01
    weight_decay: Annotated[float, Field(ge=0)] = 0.1
    adam_beta2: Annotated[float, Field(gt=0, lt=1)] = 0.95
    max_grad_norm: Positive = 1.0  # transformers' default, which the public settings leave
    seed: int = 1
    lora: LoraSettings = LoraSettings()

    @field_validator("name")
    @classmethod
    def _is_a_folder(cls, name: str) -> str:
        if not _STAGE.fullmatch(name) or name == RESERVED:
            raise ValueError(f"lower-case letters, digits, - and _, and not {RESERVED!r}")
        return name


class MachineConfig(_Part):
    """What must fit the machine.

    A step learns from batch_size x accumulation x processes lessons. While that product stays, these three change
    rounding, what dropout draws, and with group_by_length also which lessons share a step; gradient_checkpointing and
    workers change nothing but speed and memory. precision and quantise change what is computed.
    """

    batch_size: Annotated[int, Field(ge=1)] = 10  # lessons at once in one process
    accumulation: Annotated[int, Field(ge=1)] = 8  # batches of each process in a step
    precision: Literal["auto", "bf16", "float32"] = "auto"  # auto: bf16 on a GPU, float32 on a CPU
    quantise: Literal["none", "4bit"] = "none"  # of the base, which is only read; 4bit needs a CUDA GPU
    gradient_checkpointing: bool = True  # activations are computed anew in the backward pass: far less memory
    group_by_length: bool = True  # lessons of like length share a batch: less padding
    workers: Annotated[int, Field(ge=0)] = 4  # processes that decode pictures, per training process
    threads: Annotated[int, Field(ge=1)] | None = None  # of torch on a CPU; None: all cores
    checkpoint_minutes: Positive = 10.0  # a kill loses what came after the last one, its metrics and seconds too


class AdapterConfig(_Part):
    """A whole run."""

    name: str
    base: str  # spec: hf:ORG/NAME[@REV] or dir:PATH
    adapters_before: tuple[str, ...] = ()  # specs of adapters that lie below all stages
    max_length: Annotated[int, Field(ge=16)] = 2048  # tokens with those of the pictures; longer lessons are left out
    max_pixels: Annotated[int, Field(ge=28 * 28)] = 602_112  # px per picture, as `VlmOptions`: what is asked later
    stages: tuple[StageConfig, ...]
    machine: MachineConfig = MachineConfig()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.stages:  # not a constraint of the field: a stage that is wrong would count as missing too
            raise ValueError("no stages")
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError("two stages of one name")
        for spec in (self.base, *self.adapters_before):
            try:
                parsed = parse_backend(spec)
            except InputError as error:
                raise ValueError(str(error)) from error
            if parsed.base not in ("hf", "dir") or parsed.adapters:
                raise ValueError(f"{spec!r} is no hf:ORG/NAME or dir:PATH (adapters go into adapters_before)")
        return self


def read_config(path: Path) -> AdapterConfig:
    """Read a configuration; paths in it that are relative are so to the working directory, as in all commands.

    Raises:
        InputError: There is no such file, it is no TOML, or a setting is unknown or out of range.
    """
    try:
        return AdapterConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        remedy = "Correct it; training/lora/config.py explains every setting."
        raise InputError(f"the settings of a LoRA training in {path}", _said(error), remedy) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        remedy = "Name a file like those in training/lora/configs."
        raise InputError(f"a TOML file of settings in {path}", f"none ({error})", remedy) from error


def _said(error: ValidationError) -> str:
    def one(found: Any) -> str:
        where = ".".join(map(str, found["loc"])) or "the file"
        given = found["input"]
        return f"{where}: {found['msg']}" + (
            "" if isinstance(given, dict | list | tuple) else f" (given {given!r:.80})"
        )

    return "; ".join(one(found) for found in error.errors()[:5])
