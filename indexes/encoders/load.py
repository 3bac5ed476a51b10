"""Encoders by spec string.

embedded               EfficientNet-Lite0 with GeM pooling, which installs with geosleuth
timm:NAME              an image encoder of timm: GeM over the last map of a convolutional network, else its own pooling
hf:ORG/NAME[@REV]      a vision tower of transformers (DINOv2, CLIP, SigLIP, ...), with its own pooling
dir:PATH               an encoder folder of geosleuth (`encoder_folder.py`), a run of training, which holds one as
                       PATH/encoder, or a model folder of transformers
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.indexes.backend import Backend, parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.hub import cached_first

if TYPE_CHECKING:
    from geosleuth.indexes.encoders.encoder import Encoder


def load_encoder(spec: str, *, local_only: bool = False) -> Encoder:
    """Load the encoder that `spec` names; the same object for the same spec, unless its folder was written anew.

    Weights of a hub that are on this machine already are taken from here, and nobody is asked.

    Args:
        spec: As above.
        local_only: Fetch nothing: for a spec that stands in a file from elsewhere, and that no user has named.

    Raises:
        InputError: No such form, a package or weights that are missing, a folder that is damaged.
    """
    backend = parse_backend(spec, role="retrieval")
    spec, stamp = str(backend), _stamp(backend)
    if backend.base not in ("hf", "timm"):
        return _load(spec, stamp)
    try:
        return cached_first(lambda: _load(spec, stamp), fetch=not local_only)
    except InputError as error:
        if not local_only:
            raise
        remedy = f'To fetch it, name it yourself: backends.retrieval = "{spec}" in geosleuth.toml.'
        raise InputError(f"the encoder {spec} on this machine", error.found, remedy) from error


@lru_cache(maxsize=4)  # a build and its queries use one; a few more for comparisons
def _load(spec: str, stamp: int) -> Encoder:  # noqa: ARG001  # the stamp is part of the cache's key
    from geosleuth.indexes.encoders.encoder_folder import encoder_folder_at
    from geosleuth.indexes.encoders.fitted import load_fitted
    from geosleuth.indexes.encoders.pooled import PooledEncoder, combined_sha256
    from geosleuth.indexes.encoders.pooling import Gem, own
    from geosleuth.indexes.encoders.sources import load_source

    backend = parse_backend(spec)
    if backend.base == "dir" and (folder := encoder_folder_at(Path(backend.name).expanduser())):
        return load_fitted(folder, spec)
    source = load_source(spec, "default")
    pooling = own if source.is_pooled else Gem()
    sha256 = combined_sha256(source.weights_sha256, "own" if source.is_pooled else repr(pooling))
    return PooledEncoder(spec, sha256, source.channels, source, pooling)


def _stamp(backend: Backend) -> int:
    """When the files of a folder were last changed: an encoder that was fitted again is another one."""
    if backend.base != "dir":
        return 0
    from geosleuth.indexes.encoders.encoder_folder import encoder_folder_at

    named = Path(backend.name).expanduser()
    files = [path for path in (encoder_folder_at(named) or named).glob("*") if path.is_file()]
    return max((path.stat().st_mtime_ns for path in files), default=0)
