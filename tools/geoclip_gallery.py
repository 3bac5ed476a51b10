"""GeoCLIP's gallery of 100,000 positions, encoded once and kept on disk.

GeoCLIP (package `geoclip`, MIT) compares a photo with the embeddings of all positions in its gallery, and computes
those anew for every photo. They depend on nothing but its weights: here they are made once (10 to 40 s on two cores),
written as safetensors into the cache folder under the weights' hash, and mapped into memory (205 MB) at use.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geosleuth.indexes.compiled import compiled_folder
from geosleuth.indexes.countries import country_codes
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import Floats, unit_vectors
from geosleuth.tools.vlm.model_folder import import_vlm

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_FORMAT = "geoclip-1"  # change when the arrays change, so that older caches are left alone
_FILE = "gallery.safetensors"
# Positions encoded at once: the layers' results then stay in the processor's cache. On two cores the 100,000 take 46 s
# at 256, 14 s at 1,024, 11 s at 2,048, and 13 s at 16,384.
_CHUNK = 2048
_WEIGHTS = ("location_encoder_weights.pth", "image_encoder_mlp_weights.pth", "logit_scale_weights.pth")


@dataclass(frozen=True, eq=False)
class LocationGallery:
    """Positions and their embeddings; the rows are GeoCLIP's own, in its order."""

    lat: Floats  # (n,) degrees
    lon: Floats
    vectors: Floats  # (n, 3) on the unit sphere
    country: NDArray[np.int64]  # (n,) index into countries.country_codes(), -1 on the open ocean
    features: Any  # torch tensor (n, 512), float32, rows of length 1, mapped from the disk

    def __len__(self) -> int:
        return len(self.lat)

    def __repr__(self) -> str:
        return f"LocationGallery({len(self)} positions)"


def package_folder() -> Path:
    """Find the models of the package geoclip without importing it, which takes seconds.

    Raises:
        InputError: It is not installed.
    """
    found = importlib.util.find_spec("geoclip")
    if found is None or not found.submodule_search_locations:
        raise InputError(
            "the package geoclip, with its weights", "none installed", "Install it with `pip install 'geosleuth[vlm]'`."
        )
    return Path(next(iter(found.submodule_search_locations))) / "model"


def package_weights(name: str) -> Any:
    """Read one of the package's files of weights; they are unpickled as tensors and nothing else.

    Raises:
        InputError: The package is not installed, or lacks the file.
    """
    path = package_folder() / "weights" / name
    if not path.is_file():
        raise InputError(f"GeoCLIP's {name}", f"no such file in {path.parent}", "Run `pip install 'geoclip>=1.3'`.")
    return import_vlm("torch").load(path, map_location="cpu", weights_only=True)


@lru_cache(maxsize=1)
def weights_sha256() -> str:
    """Hash of all weights in the package; CLIP's own are not among them."""
    digest = hashlib.sha256()
    for name in _WEIGHTS:
        digest.update((package_folder() / "weights" / name).read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def package_coordinates() -> Floats:
    """The gallery that comes with the package, (100000, 2) of (lat, lon)."""
    path = package_folder() / "gps_gallery" / "coordinates_100K.csv"
    return np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float64)


def location_gallery(coordinates: Floats | None = None) -> LocationGallery:
    """Open the gallery, encoding it on first use.

    Args:
        coordinates: (n, 2) of (lat, lon), in place of the package's 100,000.

    Raises:
        InputError: The package or torch is missing, or the cache folder cannot be written.
    """
    from safetensors import safe_open

    positions = package_coordinates() if coordinates is None else np.asarray(coordinates, dtype=np.float64)
    drawn = hashlib.sha256(positions.tobytes()).hexdigest()
    # The positions are part of the name, so that another gallery does not push this one out of the cache.
    folder = compiled_folder(
        f"geoclip-{drawn[:8]}", [_FORMAT, weights_sha256(), drawn], lambda to: _build(to, positions)
    )
    with safe_open(folder / _FILE, framework="pt") as tensors:  # mapped: nothing is read before it is used
        features, country = tensors.get_tensor("features"), tensors.get_tensor("country")
    lat, lon = positions.T
    return LocationGallery(lat, lon, unit_vectors(lat, lon), country.numpy(), features)


def _build(folder: Path, positions: Floats) -> None:
    from safetensors.torch import save_file

    torch = import_vlm("torch")
    logger.info("GeoCLIP's gallery of %d positions is encoded once", len(positions))
    country = torch.from_numpy(_countries(positions))
    save_file({"features": encoded(positions), "country": country}, folder / _FILE, {"format": _FORMAT})


def encoded(positions: Floats) -> Any:
    """Encode (n, 2) of (lat, lon) with GeoCLIP's location encoder; a float32 tensor (n, 512), rows of length 1."""
    torch = import_vlm("torch")
    encoder = import_vlm("geoclip.model.location_encoder").LocationEncoder(from_pretrained=False).eval()
    encoder.load_state_dict(package_weights(_WEIGHTS[0]))
    rows = torch.tensor(positions, dtype=torch.float32)
    with torch.inference_mode():
        parts = [torch.nn.functional.normalize(encoder(part), dim=1) for part in rows.split(_CHUNK)]
    return torch.cat(parts)


def _countries(positions: Floats) -> NDArray[np.int64]:
    from geosleuth.indexes.regions import countries_at

    index = {code: i for i, code in enumerate(country_codes())}
    return np.array([index.get(code, -1) for code in countries_at(*positions.T)], dtype=np.int64)
