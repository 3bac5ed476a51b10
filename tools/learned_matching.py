"""Learned matchers of transformers, by name or from a folder: SuperPoint with LightGlue, EfficientLoFTR, SuperGlue."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from geosleuth.indexes.backend import Backend
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.local_features import Pairs, one_per_place

logger = logging.getLogger(__name__)

_MODELS = "such as ETH-CVG/lightglue_superpoint or zju-community/efficientloftr"
# transformers cuts coordinates to whole pixels of the size that it is told: a larger one keeps sixteenths.
_SUBPIXELS = 16


@dataclass(frozen=True, eq=False)
class LearnedMatcher:
    """A keypoint-matching model; both pictures go through it together."""

    name: str
    model: Any  # of transformers, which has no types
    processor: Any
    device: str
    _running: Lock = field(
        default_factory=Lock, repr=False
    )  # one pair at a time: memory, and models are not re-entrant

    def prepare(self, pixels: Pixels) -> Pixels:
        """The picture itself: these models look at both at once."""
        return pixels

    def pairs(self, query: Pixels, reference: Pixels) -> Pairs:
        """Pair points by the model, the surest first; the model's own bound on its scores applies."""
        import torch

        inputs = self.processor([query, reference], return_tensors="pt").to(self.device)
        sizes = [tuple((p.shape[0] * _SUBPIXELS, p.shape[1] * _SUBPIXELS) for p in (query, reference))]
        with self._running, torch.inference_mode():
            outputs = self.model(**inputs)
            found = self.processor.post_process_keypoint_matching(outputs, sizes)[0]
        order = np.argsort(-found["matching_scores"].float().cpu().numpy(), kind="stable")
        return one_per_place(
            Pairs(
                found["keypoints0"].cpu().numpy()[order].astype(np.float32) / _SUBPIXELS,
                found["keypoints1"].cpu().numpy()[order].astype(np.float32) / _SUBPIXELS,
                (query.shape[1], query.shape[0]),
                (reference.shape[1], reference.shape[0]),
            )
        )


def load_learned_matcher(backend: Backend) -> LearnedMatcher:
    """Load a model of transformers for keypoint matching; weights are read as safetensors only.

    Raises:
        InputError: torch or transformers are missing, or there is no such model, or it is another kind of model.
    """
    try:
        import torch
        from transformers import AutoConfig, AutoImageProcessor, AutoModelForKeypointMatching
    except ImportError as error:
        raise InputError(
            f"torch and transformers for the matcher {backend}",
            str(error),
            "Install them: pip install 'geosleuth[encoders]', or take the matcher `embedded`.",
        ) from error
    where: str | Path = backend.name
    if backend.base == "dir":
        where = Path(backend.name).expanduser()
        if not (where / "config.json").is_file():
            remedy = f"Name the folder that save_pretrained has written, or a model of the hub {_MODELS}."
            raise InputError("a folder with a matcher's weights", f"no config.json in {where}", remedy)
    options = {"revision": backend.detail} if backend.detail else {}
    try:
        kind = AutoConfig.from_pretrained(where, **options).model_type
        model = AutoModelForKeypointMatching.from_pretrained(where, use_safetensors=True, **options)
        processor = AutoImageProcessor.from_pretrained(where, **options)
    except (
        OSError,
        ValueError,
        KeyError,
    ) as error:  # no such model, no network, weights as pickle, another architecture
        found = str(error).strip().partition("\n")[0]
        remedy = f"Name a model for keypoint matching, {_MODELS}; without a network, dir:PATH of a downloaded one."
        raise InputError(f"a matcher of transformers ({backend})", found, remedy) from error
    if hasattr(model, "_get_matches_from_scores"):
        align_coarse_matches(model)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    digest = _weights_sha256(model)
    logger.info("Loaded the matcher %s (%s, weights %s) on %s", backend, kind, digest[:12], device)
    return LearnedMatcher(f"{backend} ({kind}, weights {digest[:12]})", model.to(device).eval(), processor, device)


def align_coarse_matches(model: Any) -> None:
    """Make EfficientLoFTR list the two ends of a coarse match in the same row.

    transformers 5.23 lists the partners of the second picture's cells beside those of the first picture's cells, so
    that ends are paired only where both pictures show the scene in the same reading order, and the fine stage compares
    windows that do not belong together.
    """
    import torch

    listed = model._get_matches_from_scores

    def aligned(scores: Any) -> tuple[Any, Any]:
        indices, values = listed(scores)
        partner, value = indices[:, 1], values[:, 1]  # of each cell of the first picture
        own = torch.arange(partner.shape[-1], device=partner.device).expand_as(partner)
        own = torch.where(partner >= 0, own, -1)
        return torch.stack([own, partner], dim=1), torch.stack([value, value], dim=1)

    model._get_matches_from_scores = aligned


def _weights_sha256(model: Any) -> str:
    """Hash of names and values, wherever they were loaded from."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
