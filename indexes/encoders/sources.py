"""Where local features come from, by spec string: the embedded network, dense SIFT, or a torch model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.encoders.encoder_folder import FACTS_FILE, encoder_folder_at
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.indexes.encoders.pooled import LocalFeatures

DENSE_SIFT = "dense-sift"
# "own": the one vector that the network pools itself. "map": its last feature map or its patches. "local": those that
# a vocabulary is made of (of the embedded network a finer map). "default": the map of a convolutional network, which
# GeM pools, and the own vector of a transformer.
Output = Literal["default", "own", "map", "local"]


def load_source(spec: str, output: Output) -> LocalFeatures:
    """Load the features that `spec` names.

    Raises:
        InputError: A package or weights that are missing.
    """
    if spec == DENSE_SIFT:
        from geosleuth.indexes.encoders.dense_sift import DenseSift

        return DenseSift()
    backend = parse_backend(spec, role="retrieval")
    if backend.base == "embedded":
        from geosleuth.indexes.encoders.embedded import EmbeddedMaps

        return EmbeddedMaps("local" if output == "local" else "features")
    if backend.base == "timm":
        from geosleuth.indexes.encoders.timm_model import timm_features

        return timm_features(backend.name, output)
    from geosleuth.indexes.encoders.transformers_model import transformers_features

    if backend.base == "dir":
        return transformers_features(_model_folder(backend.name), None, output)
    return transformers_features(backend.name, backend.detail, output)


def _model_folder(name: str) -> str:
    from pathlib import Path

    folder = Path(name).expanduser()
    if encoder_folder_at(folder):
        raise InputError(
            "a network whose feature map can be used",
            f"{folder}, a finished encoder",
            "Name the network it is made of.",
        )
    if not (folder / "config.json").is_file():
        raise InputError(
            f"an encoder folder ({FACTS_FILE}) or a model of transformers (config.json)",
            f"{folder}: {'neither of them in it' if folder.is_dir() else 'no such folder'}",
            "Name the folder that holds the weights.",
        )
    return str(folder)
