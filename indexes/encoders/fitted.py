"""Load an encoder folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.indexes.encoders.encoder_folder import (
    AGGREGATION_FILE,
    BACKBONE_FILE,
    FACTS_FILE,
    TRANSFORMERS,
    EncoderFacts,
    load_arrays,
    read_facts,
)
from geosleuth.indexes.encoders.pooled import PooledEncoder, combined_sha256
from geosleuth.indexes.encoders.pooling import Gem, own
from geosleuth.indexes.encoders.sources import load_source
from geosleuth.indexes.encoders.vlad import Vlad
from geosleuth.indexes.encoders.whitening import Whitening
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.indexes.encoders.pooled import LocalFeatures
    from geosleuth.indexes.encoders.pooling import Pooling


def load_fitted(folder: Path, spec: str) -> PooledEncoder:
    """Load an encoder folder; `spec` is the name it goes by.

    Raises:
        InputError: A file is damaged, the backbone is another than at the time of the fit, or the parts do not fit.
    """
    facts = read_facts(folder)
    source = _source(folder, facts)
    if facts.backbone_sha256 not in (None, source.weights_sha256):
        raise InputError(
            f"the network {facts.backbone} that {folder} was fitted on",
            "another one (its weights have changed)",
            "Fit the encoder again, and build the index again.",
        )
    pooling = _pooling(folder, facts)
    dimension = pooling.dimension if isinstance(pooling, Vlad) else source.channels
    if dimension != facts.dimension or (facts.aggregation == "own") != source.is_pooled:
        found = f"{'one vector' if source.is_pooled else 'features'} of {dimension} per picture"
        remedy = f"Correct {folder / FACTS_FILE}, or write the folder again."
        raise InputError(f"vectors of {facts.dimension} numbers by {facts.aggregation}", found, remedy)
    sums = [f"{name}={sum_}" for name, sum_ in sorted(facts.weights.items())]
    sha256 = combined_sha256(source.weights_sha256, facts.aggregation, repr(facts.gem_power), *sums)
    return PooledEncoder(spec, sha256, dimension, source, pooling)


def _source(folder: Path, facts: EncoderFacts) -> LocalFeatures:
    output = {"own": "own", "gem": "map"}.get(facts.aggregation, "local")
    if BACKBONE_FILE not in facts.weights:
        return load_source(facts.backbone, output)  # type: ignore[arg-type]  # a dict's values are str to mypy
    from geosleuth.indexes.encoders.amosnet import NAME, amosnet_features
    from geosleuth.indexes.encoders.timm_model import timm_features
    from geosleuth.indexes.encoders.torch_features import InputFacts

    weights = load_arrays(folder / BACKBONE_FILE)
    if facts.input_px is None or facts.mean is None or facts.std is None:  # `EncoderFacts` has checked it
        raise ValueError("a backbone without its input")
    inputs = InputFacts(facts.input_px, facts.mean, facts.std)
    if facts.backbone == NAME:
        return amosnet_features(weights, inputs)
    if facts.backbone.startswith("timm:"):
        return timm_features(facts.backbone.removeprefix("timm:"), output, weights=weights, facts=inputs)  # type: ignore[arg-type]
    if facts.backbone == TRANSFORMERS and facts.backbone_config is not None:
        from geosleuth.indexes.encoders.transformers_model import transformers_encoder

        return transformers_encoder(facts.backbone_config, weights, inputs)
    wanted = f"timm:ARCHITECTURE, {TRANSFORMERS} or {NAME} for {BACKBONE_FILE}"
    raise InputError(wanted, f"{facts.backbone!r}", f"Correct {FACTS_FILE}.")


def _pooling(folder: Path, facts: EncoderFacts) -> Pooling:
    if facts.aggregation == "own":
        return own
    if facts.aggregation == "gem":
        return Gem(facts.gem_power or 1.0)
    arrays = load_arrays(folder / AGGREGATION_FILE)
    wanted = {"centres", "mean", "matrix"} | ({"sharpness"} if facts.aggregation == "netvlad" else set())
    if set(arrays) != wanted:
        raise InputError(f"{sorted(wanted)} in {folder / AGGREGATION_FILE}", f"{sorted(arrays)}", "Fit it again.")
    sharpness = float(arrays["sharpness"][0]) if "sharpness" in arrays else None
    return Vlad(arrays["centres"], sharpness, Whitening(arrays["mean"], arrays["matrix"]))
