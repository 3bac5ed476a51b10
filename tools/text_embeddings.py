"""Two-tower models (CLIP, SigLIP): pictures and sentences in one space; the sentences' embeddings are kept on disk."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.compiled import compiled_folder
from geosleuth.indexes.errors import InputError
from geosleuth.tools.pretrained import import_transformers, load_weights, open_folder, part_of
from geosleuth.tools.vlm.load import model_kind
from geosleuth.tools.vlm.model_folder import import_vlm

if TYPE_CHECKING:
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.vlm.model_folder import ModelFolder

Vectors = NDArray[np.float32]

_FORMAT = "text-1"  # change when the file changes, so that older caches are left alone
_FILE = "embeddings.safetensors"
_NAME_DIGITS = 16
_BATCH = 64  # sentences at once; the 250 countries take seconds on two cores, once


@dataclass(frozen=True, eq=False)
class TwoTowers:
    """A model of transformers that compares pictures with sentences."""

    name: str  # for people: the spec without the folders that a path lies in
    sha256: str  # of its weights
    model: Any
    processor: Any  # of pictures, as the model's authors publish it
    tokenizer: Any
    scale: float  # of cosines, as trained

    @property
    def weights(self) -> str:
        """What `Evidence.weights` holds."""
        return f"{self.name} (sha256 {self.sha256[:12]})"

    def picture(self, pixels: Pixels) -> Vectors:
        """Embed a picture; (d,), of length 1."""
        from PIL import Image

        torch = import_vlm("torch")
        inputs = self.processor(images=Image.fromarray(pixels), return_tensors="pt").to(self.model.device)
        with torch.inference_mode():
            rows = _rows(self.model.get_image_features(pixel_values=inputs["pixel_values"]))
        return np.asarray(rows[0])

    def sentences(self, sentences: Sequence[str]) -> Vectors:
        """Embed sentences, or take their embeddings from the disk; (n, d), rows of length 1.

        Raises:
            InputError: The cache folder cannot be written.
        """
        from safetensors.numpy import load_file

        parts = [_FORMAT, self.sha256, *sentences]
        # A hash for a name: which countries' cities are kept says what photos looked like.
        name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_NAME_DIGITS]
        folder = compiled_folder(f"text-{name}", parts, lambda to: self._write(to, sentences), level=logging.DEBUG)
        embeddings: Vectors = load_file(folder / _FILE)["embeddings"]
        return embeddings

    def probabilities(self, picture: Vectors, sentences: Vectors, temperature: float = 1.0) -> NDArray[np.float64]:
        """Softmax over the sentences with the model's own scale, (n,); a temperature above 1 makes it less sure."""
        logits = self.scale / temperature * (sentences @ picture).astype(np.float64)
        shares = np.exp(logits - logits.max())
        return np.asarray(shares / shares.sum())

    def _write(self, folder: Path, sentences: Sequence[str]) -> None:
        from safetensors.numpy import save_file

        save_file({"embeddings": self.embedded(sentences)}, folder / _FILE, {"format": _FORMAT})

    def embedded(self, sentences: Sequence[str]) -> Vectors:
        """As `sentences`, without the disk."""
        torch = import_vlm("torch")
        # SigLIP was trained on sentences filled up to its full length; CLIP's result does not depend on filling.
        fill = "max_length" if self.model.config.model_type.startswith("siglip") else True
        length = self.model.config.text_config.max_position_embeddings
        found = []
        for start in range(0, len(sentences), _BATCH):
            batch = list(sentences[start : start + _BATCH])
            inputs = self.tokenizer(batch, padding=fill, max_length=length, truncation=True, return_tensors="pt")
            with torch.inference_mode():
                found.append(_rows(self.model.get_text_features(**inputs.to(self.model.device))))
        return np.concatenate(found)


def load_two_towers(spec: str) -> TwoTowers:
    """Load the model that `spec` names, hf:ORG/NAME[@REV] or dir:PATH; once, unless its folder is written anew.

    Raises:
        InputError: A package or weights that are missing, or a model of another kind.
    """
    backend = parse_backend(spec)
    if backend.base not in ("hf", "dir"):
        raise InputError("a model with two towers", repr(spec), "Name one: hf:ORG/NAME[@REV] or dir:PATH.")
    if backend.adapters:
        remedy = "Merge the adapter into its base, and name the folder: dir:PATH."
        raise InputError("a model with two towers, without adapters", repr(spec), remedy)
    import_vlm("torch")  # without it transformers would only say that it does not know the model
    if (kind := model_kind(spec)) != "clip":  # before weights are fetched
        found = f"a {kind} in {spec}"
        raise InputError("a model with two towers, such as CLIP or SigLIP", found, "Name another model.")
    return _load(open_folder(backend, "a model with two towers"))


@lru_cache(maxsize=1)  # one role runs one; the folder's stamp is part of what it is compared by
def _load(folder: ModelFolder) -> TwoTowers:
    transformers = import_transformers()
    processor = part_of(transformers.AutoImageProcessor.from_pretrained, folder)
    tokenizer = part_of(transformers.AutoTokenizer.from_pretrained, folder)
    model = load_weights(transformers.AutoModel, folder)
    sha256 = state_sha256(model)
    scale = float(model.logit_scale.detach().exp())
    device = "cuda" if import_vlm("torch").cuda.is_available() else "cpu"
    return TwoTowers(parse_backend(folder.spec).short, sha256, model.to(device), processor, tokenizer, scale)


def _rows(output: Any) -> Vectors:
    """Rows of length 1, from what transformers 4 (a tensor) or 5 (a record) returns."""
    torch = import_vlm("torch")
    features = output if isinstance(output, torch.Tensor) else output.pooler_output
    rows: Vectors = torch.nn.functional.normalize(features.float(), dim=-1).cpu().numpy()
    return rows


def state_sha256(model: Any) -> str:
    """Hash a torch model's weights, by their names (about a second for 1.7 GB)."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy())
    return digest.hexdigest()
