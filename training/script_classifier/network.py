"""The script classifier's network: convolutions over the line, then attention along it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from geosleuth.tools.script_classifier import CLASSES, HEIGHT


def _stage(inputs: int, outputs: int, stride: tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class ScriptNet(nn.Module):  # type: ignore[misc]  # torch has no types where only the base is installed
    """Map lines (n, 1, 32, w) to logits (n, classes).

    One letter that only one script has decides a line of letters that several share, so columns are weighed by learned
    attention and the strongest response of each feature is kept beside the mean. 0.32 M weights, 1.3 MB.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _stage(1, 16, (2, 2)),  # 16 rows, w / 2
            _stage(16, 32, (1, 1)),
            _stage(32, 48, (2, 2)),  # 8 rows, w / 4
            _stage(48, 64, (1, 1)),
            _stage(64, 80, (2, 2)),  # 4 rows, w / 8
            _stage(80, 96, (1, 1)),
            nn.Conv2d(96, 128, (HEIGHT // 8, 3), 1, (0, 1), bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(inplace=True),
        )
        self.attention = nn.Conv1d(128, 1, 1)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(256, len(CLASSES))

    def forward(self, line: Tensor) -> Tensor:
        """Return logits; `line` is normalised as `prepare_line` does."""
        columns = self.features(line).squeeze(2)  # (n, 128, w / 8)
        weights = torch.softmax(self.attention(columns), 2)
        pooled = torch.cat([(columns * weights).sum(2), columns.amax(2)], 1)
        logits: Tensor = self.head(self.drop(pooled))
        return logits


def export(network: ScriptNet, path: Path, about: str) -> None:
    """Write the network as ONNX with any number and width of lines; `about` goes into the file's description."""
    import onnx

    network.eval()
    torch.onnx.export(
        network,
        (torch.zeros(1, 1, HEIGHT, 96),),
        str(path),
        input_names=["line"],
        output_names=["logits"],
        dynamic_axes={"line": {0: "n", 3: "w"}, "logits": {0: "n"}},
        opset_version=17,
        dynamo=False,  # the new exporter needs onnxscript and fixes the width
    )
    model = onnx.load(str(path))
    model.doc_string = about
    onnx.save(model, str(path))
