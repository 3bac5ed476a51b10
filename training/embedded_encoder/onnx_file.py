"""From torch to an ONNX file whose weights are half precision on disk and single precision at run time."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

_SMALLEST = 1024  # values; smaller tensors (biases, shapes) stay as they are: they save nothing


def export(network: nn.Module, path: Path) -> None:
    """Write `network` (FeatureMaps) for any number of pictures of any height and width that 32 divides."""
    import onnx

    axes = {0: "n", 2: "rows", 3: "columns"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that keeps sizes free announces its own end
        torch.onnx.export(
            network,
            (torch.zeros(1, 64, 96, 3, dtype=torch.uint8),),
            str(path),
            input_names=["pictures"],
            output_names=["features", "local"],
            dynamic_axes={"pictures": {0: "n", 1: "h", 2: "w"}, "features": axes, "local": axes},
            opset_version=17,
            dynamo=False,  # the new exporter needs onnxscript and fixes the sizes
        )
    model = onnx.load(str(path))
    _halve(model)
    model.doc_string = "EfficientNet-Lite0 (ImageNet) without its classifier; see geosleuth's NOTICE."
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def _halve(model: Any) -> None:
    """Store each large weight as float16 and cast it back when the session starts (it folds constants)."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < _SMALLEST:
            continue
        name, values = weight.name, numpy_helper.to_array(weight)
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]  # a node must stand behind those whose results it reads
    del model.graph.node[:]
    model.graph.node.extend(nodes)
