"""GeoCLIP as a prior: where a photo was taken, as a softmax over a gallery of 100,000 positions.

Per photo only CLIP's image tower runs, and one product with the gallery, which is encoded once (`geoclip_gallery.py`).
The probabilities are those of the package's own `GeoCLIP.predict`. CLIP itself is no part of the package: its
ViT-L/14 comes from the hub's cache on this machine, or is fetched once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.countries import country_codes, country_name
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import Floats, distance_km
from geosleuth.tools.evidence import Evidence, Likelihood, Nothing, Support
from geosleuth.tools.geoclip_gallery import (
    LocationGallery,
    location_gallery,
    package_folder,
    package_weights,
    weights_sha256,
)
from geosleuth.tools.point_mixture import EVEN, mixture
from geosleuth.tools.pretrained import import_transformers, load_weights, open_folder, part_of
from geosleuth.tools.prior_likelihood import countries_likelihood
from geosleuth.tools.text_embeddings import state_sha256
from geosleuth.tools.vlm.model_folder import import_vlm

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.vlm.model_folder import ModelFolder

CLIP = "hf:openai/clip-vit-large-patch14"  # the tower that GeoCLIP was trained on, frozen
_GROUP = "prior:geoclip"  # country and place are one opinion
_AROUND_KM = 200.0  # "region" of the field's accuracy@200km, for the claim


@dataclass(frozen=True, eq=False)
class GeoClip:
    """The image tower, GeoCLIP's head on it, and the encoded gallery."""

    tower: Any  # CLIP's image tower with its projection: (1, 3, h, w) -> (1, 768)
    processor: Any  # CLIP's: resizes the shorter side, cuts out the middle, normalises
    head: Any  # (1, 768) -> (1, 512)
    scale: float  # of cosines
    gallery: LocationGallery
    clip: str  # the tower's name, for people
    clip_sha256: str  # of the tower's weights

    @classmethod
    def load(cls, clip: str = CLIP, gallery: LocationGallery | None = None) -> GeoClip:
        """Load everything; the gallery is encoded on first use.

        The tower stays in single precision: bfloat16 nearly halves its time on processors that compute with it, and
        changed the top five (random weights).

        Args:
            clip: Spec of the tower, hf:ORG/NAME[@REV] or dir:PATH.
            gallery: In place of the package's.

        Raises:
            InputError: A package or weights are missing.
        """
        return cls.of(_tower_folder(clip), gallery)

    @classmethod
    def of(cls, folder: ModelFolder, gallery: LocationGallery | None = None) -> GeoClip:
        """As `load`, with the tower in a checked folder."""
        torch = import_vlm("torch")
        head = torch.nn.Sequential(torch.nn.Linear(768, 768), torch.nn.ReLU(), torch.nn.Linear(768, 512))
        head.load_state_dict(package_weights("image_encoder_mlp_weights.pth"))
        scale = float(package_weights("logit_scale_weights.pth").exp())
        tower, processor = _tower(folder)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        opened = location_gallery() if gallery is None else gallery
        sha256 = state_sha256(tower)
        return cls(tower.to(device), processor, head.eval().to(device), scale, opened, folder.name, sha256)

    @property
    def weights(self) -> str:
        """What `Evidence.weights` holds."""
        tower = f"{self.clip} (sha256 {self.clip_sha256[:12]})"
        return f"GeoCLIP (sha256 {weights_sha256()[:12]}) on {tower}, {len(self.gallery)} positions"

    def probabilities(self, pixels: Pixels) -> Floats:
        """Probability of each position of the gallery, (n,): what `GeoCLIP.predict` takes its top k from."""
        torch = import_vlm("torch")
        from PIL import Image

        image = self.processor(images=Image.fromarray(pixels), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            seen = self.tower(pixel_values=image.to(self.tower.device)).image_embeds
            seen = self.head(seen)
            cosines = self.gallery.features @ torch.nn.functional.normalize(seen, dim=1)[0].float().cpu()
            shares = (self.scale * cosines).softmax(dim=0).double().numpy()
        return np.asarray(shares / shares.sum())


def geoclip_prior(photo: Photo, model: GeoClip | None = None) -> list[Evidence]:
    """Say where GeoCLIP places the photo: its country, and its places with their errors.

    Args:
        photo: The photo, upright. (GeoCLIP's own `predict` does not turn a photo that lies on its side.)
        model: In place of the package's, which is loaded once per process.

    Raises:
        InputError: A package or weights are missing.
    """
    geoclip = _loaded() if model is None else model
    started = time.perf_counter()
    probabilities = geoclip.probabilities(photo.pixels)
    likelihood = mixture(geoclip.gallery.vectors, probabilities)
    nowhere = Nothing(reason="GeoCLIP spreads its probability as its gallery lies")
    place = _evidence(geoclip, "place", _place_claim(geoclip.gallery, probabilities), likelihood or nowhere)
    country = _country(geoclip, probabilities)
    seconds = (time.perf_counter() - started) / 2  # of both together
    return [piece.model_copy(update={"seconds": seconds}) for piece in (country, place)]


def _loaded() -> GeoClip:
    return _load(_tower_folder(CLIP))


@lru_cache(maxsize=1)  # the folder's stamp is part of what it is compared by
def _load(folder: ModelFolder) -> GeoClip:
    return GeoClip.of(folder)


def _country(geoclip: GeoClip, probabilities: Floats) -> Evidence:
    """Compare each country's share of the probability with its share of the gallery."""
    codes, of_row = country_codes(), geoclip.gallery.country
    on_land = of_row >= 0
    held = np.bincount(of_row[on_land], weights=probabilities[on_land], minlength=len(codes))
    shown = np.bincount(of_row[on_land], minlength=len(codes)) / max(on_land.sum(), 1)
    shares = dict(zip(codes, held.tolist(), strict=True))
    # Without a photo that speaks, the softmax falls as the gallery lies (30 % of it in the United States).
    wrong = dict(zip(codes, ((1.0 - EVEN) * shown + EVEN / len(codes)).tolist(), strict=True))
    best = sorted(shares, key=lambda code: -shares[code])[:3]
    said = ", ".join(f"{country_name(code).strip()} {shares[code]:.0%}" for code in best)
    likelihood = countries_likelihood(shares, wrong_shares=wrong)
    return _evidence(geoclip, "country", f"GeoCLIP gives its probability to {said}.", likelihood)


def _place_claim(gallery: LocationGallery, probabilities: Floats) -> str:
    best = int(probabilities.argmax())
    lat, lon = float(gallery.lat[best]), float(gallery.lon[best])
    around = float(probabilities[distance_km(gallery.lat, gallery.lon, lat, lon) <= _AROUND_KM].sum())
    code = gallery.country[best]
    inside = f" in {country_name(country_codes()[code])}" if code >= 0 else ""
    near = f"{around:.0%} of its probability lies within {_AROUND_KM:.0f} km"
    return f"GeoCLIP's likeliest position is {lat:.4f}, {lon:.4f}{inside}; {near}."


def _evidence(geoclip: GeoClip, kind: str, claim: str, likelihood: Likelihood) -> Evidence:
    rule = "the model's share of a place is compared with its gallery's share there, as finely as models err"
    return Evidence(
        tool="prior",
        type=f"prior.{kind}",
        claim=claim,
        likelihood=likelihood,
        group=_GROUP,
        support=(Support(rule=rule, source="GeoCLIP's gallery of positions"),),
        weights=geoclip.weights,
    )


def _tower_folder(clip: str) -> ModelFolder:
    import_transformers()  # a missing package has another remedy than a missing tower
    package_folder()
    try:
        return open_folder(parse_backend(clip), "CLIP's image tower")
    except InputError as error:
        fetch = f"Load it once with a connection: `hf download {CLIP.removeprefix('hf:')}`."
        raise InputError(error.wanted, error.found, fetch) from error


def _tower(folder: ModelFolder) -> tuple[Any, Any]:
    transformers = import_transformers()
    processor = part_of(transformers.AutoImageProcessor.from_pretrained, folder)
    tower = load_weights(transformers.CLIPVisionModelWithProjection, folder)
    if tower.config.projection_dim != 768:
        found = f"{tower.config.projection_dim} in {folder.spec}"
        raise InputError("an image tower of 768 features, which GeoCLIP's head reads", found, f"Use {CLIP}.")
    return tower, processor
