"""An encoder on disk: `encoder.json` and the weights that it names.

    encoder.json                what follows as `EncoderFacts`
    backbone.safetensors        state dict of the network; absent when `backbone` is loaded by its own spec
    aggregation.safetensors     of netvlad and densevlad: `centres` (k, c), `mean` (d,) and `matrix` (n, d) of the
                                whitening, and of netvlad `sharpness` (1,)

`backbone` says what makes the local features:

    timm:ARCHITECTURE           with backbone.safetensors: that architecture without classifier (`num_classes=0`), its
                                keys as timm has them, in float32; without: timm's published weights
    transformers                with backbone.safetensors and `backbone_config`, the configuration of a vision tower:
                                that tower, its keys as transformers has them, in float32; nothing is fetched
    amosnet                     `amosnet.py`; needs backbone.safetensors
    embedded, hf:..., dir:...   as in spec strings; nothing of theirs is in the folder, but `backbone_sha256` holds them
    dense-sift                  dense RootSIFT; it has no weights

`aggregation` says how they are pooled: `own` (the network does it), `gem` (power in `gem_power`), `netvlad`,
`densevlad`. What was trained with one network for all views (GLEAM-C: timm:convnext_base... or
timm:vit_pe_core_large_patch14_336..., `own`) names the input size of each view: `"input_px": {"ground": [384, 768],
"satellite": [384, 384]}`, (height, width); a single number is the longer side, the aspect kept. A view that is not
named cannot be encoded. `mean` and `std` are of RGB in 0 to 1. For embedded, hf:, dir: and dense-sift backbones these
three are left out: they have their own.

A run of training is named as its encoder is: `dir:RUN` stands for RUN/encoder.

`write_encoder` makes such a folder; every file's SHA-256 is in encoder.json and checked when it is loaded.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from geosleuth.indexes.encoders.resizing import InputSize
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import View

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTS_FILE = "encoder.json"
RESULT_FOLDER = "encoder"  # of a run of training
BACKBONE_FILE, AGGREGATION_FILE = "backbone.safetensors", "aggregation.safetensors"
Aggregation = Literal["own", "gem", "netvlad", "densevlad"]
Side = Annotated[int, Field(ge=32, le=4096)]
Colour = tuple[float, float, float]
TRANSFORMERS = "transformers"
# Of a configuration of transformers: they name code, kernels or weights to fetch, or how it is run here.
_REFUSED = {"auto_map", "attn_implementation", "quantization_config", "use_pretrained_backbone", "use_kernels"}


class EncoderFacts(BaseModel):
    """The content of encoder.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    backbone: str
    backbone_config: dict[str, Any] | None = None  # of the backbone transformers
    backbone_sha256: str | None = None  # `weights_sha256` of a backbone that is not in the folder
    aggregation: Aggregation
    gem_power: Annotated[float, Field(ge=1, le=100)] | None = None
    input_px: dict[View, Side | tuple[Side, Side]] | None = None
    mean: Colour | None = None
    std: Colour | None = None
    dimension: Annotated[int, Field(ge=1)]
    weights: dict[Literal["backbone.safetensors", "aggregation.safetensors"], str] = {}  # file name to SHA-256
    about: str = ""  # how it came about, for people

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if BACKBONE_FILE in self.weights and not (self.input_px and self.mean and self.std):
            raise ValueError("weights of a backbone need input_px, mean and std")
        if self.std is not None and min(self.std) <= 0:
            raise ValueError("std must be positive")
        if (self.backbone == TRANSFORMERS) != (self.backbone_config is not None):
            raise ValueError("backbone_config belongs to the backbone transformers")
        if self.backbone_config is not None:
            _check_config(self.backbone_config)
            if BACKBONE_FILE not in self.weights or self.aggregation != "own":
                raise ValueError(f"the backbone transformers needs {BACKBONE_FILE} and the aggregation own")
        if (self.aggregation == "gem") != (self.gem_power is not None):
            raise ValueError("gem_power belongs to the aggregation gem")
        if (self.aggregation in ("netvlad", "densevlad")) != (AGGREGATION_FILE in self.weights):
            raise ValueError(f"{AGGREGATION_FILE} belongs to the aggregations netvlad and densevlad")
        return self


def _check_config(config: dict[str, Any]) -> None:
    if not isinstance(config.get("model_type"), str):
        raise ValueError("backbone_config needs a model_type")
    parts: list[Any] = [config]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            if wrong := sorted(key for key in part if key in _REFUSED or key.startswith("_")):
                raise ValueError(f"backbone_config must not hold {', '.join(wrong)}")
            parts += part.values()
        elif isinstance(part, list):
            parts += part


def encoder_folder_at(path: Path) -> Path | None:
    """Return the encoder folder that `path` names: itself, or of a run of training its result; None where is none."""
    return next((one for one in (path, path / RESULT_FOLDER) if (one / FACTS_FILE).exists()), None)


def write_encoder(
    folder: Path,
    *,
    backbone: str,
    aggregation: Aggregation,
    dimension: int,
    backbone_weights: Mapping[str, NDArray[Any]] | None = None,
    aggregation_weights: Mapping[str, NDArray[Any]] | None = None,
    backbone_config: Mapping[str, Any] | None = None,
    backbone_sha256: str | None = None,
    gem_power: float | None = None,
    input_px: Mapping[View, InputSize] | None = None,
    mean: Colour | None = None,
    std: Colour | None = None,
    about: str = "",
) -> EncoderFacts:
    """Write an encoder folder; it appears whole or not at all.

    Args:
        folder: Must not exist, or be empty.
        backbone_weights: Arrays by name; torch tensors as `.numpy()`.
        aggregation_weights: As the module says.
        backbone: What makes the local features, as the module says; so are the following.
        aggregation: How they are pooled.
        dimension: Length of a vector.
        backbone_config: Of the backbone transformers, its configuration.
        backbone_sha256: `weights_sha256` of a backbone that is not in the folder.
        gem_power: Of `gem`.
        input_px: Per view.
        mean: Of RGB in 0 to 1.
        std: Of RGB in 0 to 1.
        about: How it came about, for people.

    Raises:
        InputError: The folder holds something, or safetensors is not installed.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("a new or empty folder for the encoder", f"{folder}, which holds something", "Name another.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch_name:
        scratch = Path(scratch_name) / "encoder"
        scratch.mkdir()
        sums = {}
        for name, arrays in ((BACKBONE_FILE, backbone_weights), (AGGREGATION_FILE, aggregation_weights)):
            if arrays is not None:
                _save_arrays(scratch / name, arrays)
                sums[name] = file_sha256(scratch / name)
        facts = EncoderFacts.model_validate(
            {
                "backbone": backbone,
                "backbone_config": backbone_config,
                "backbone_sha256": backbone_sha256,
                "aggregation": aggregation,
                "gem_power": gem_power,
                "input_px": input_px,
                "mean": mean,
                "std": std,
                "dimension": dimension,
                "weights": sums,
                "about": about,
            }
        )
        (scratch / FACTS_FILE).write_text(facts.model_dump_json(indent=1, exclude_none=True) + "\n", encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        scratch.rename(folder)
    return facts


def read_facts(folder: Path) -> EncoderFacts:
    """Read encoder.json and check that the files it names are there, whole.

    Raises:
        InputError: It is no encoder folder, or a file is missing or damaged.
    """
    path = folder / FACTS_FILE
    try:
        facts = EncoderFacts.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"an encoder's facts in {path}", f"none ({reason})", "Write or fit it again.") from error
    for name, expected in facts.weights.items():
        found = file_sha256(folder / name) if (folder / name).is_file() else "no such file"
        if found != expected:
            raise InputError(
                f"the weights {folder / name} with SHA-256 {expected[:12]}...",
                found if found == "no such file" else f"{found[:12]}...: it is damaged, or of another encoder",
                "Copy the encoder's folder again, or fit it again.",
            )
    return facts


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read a safetensors file.

    Raises:
        InputError: safetensors is not installed, or the file is none of its own.
    """
    numpy_files = _safetensors()
    try:
        arrays: dict[str, NDArray[Any]] = numpy_files.load_file(str(path))
    except Exception as error:  # its SafetensorError derives from Exception itself
        raise InputError(f"a safetensors file in {path}", f"none ({error})", "Write or fit it again.") from error
    return arrays


def file_sha256(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    _safetensors().save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, str(path))


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise InputError(
            "the package safetensors", "none that can be imported", "Run `pip install 'geosleuth[encoders]'`."
        ) from error
    return safetensors.numpy
