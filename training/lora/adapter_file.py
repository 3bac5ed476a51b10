"""The file that comes of a stage: LoRA weights as PEFT and `tools/vlm/adapters.py` read them."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.vlm.model_folder import ModelFolder, import_vlm
from geosleuth.training.lora.run_folder import ADAPTER_CONFIG, ADAPTER_WEIGHTS, write_json
from geosleuth.training.lora.trained_model import NEW

_PREFIX = "base_model.model."  # of names in an adapter's file, as PEFT writes them


def write_adapter(model: Any, folder: ModelFolder, out: Path, card: str) -> None:
    """Write the adapter in training; its configuration comes last, so that a folder with one is whole.

    Args:
        model: With the adapter.
        folder: Of the base.
        out: The adapter's folder to be.
        card: README.md of it.
    """
    peft, safetensors = import_vlm("peft"), import_vlm("safetensors.torch")
    state = peft.get_peft_model_state_dict(model, adapter_name=NEW)
    named = {_PREFIX + name.removeprefix(_PREFIX): weight.detach().cpu().contiguous() for name, weight in state.items()}
    out.mkdir(exist_ok=True)
    with appearing(out / ADAPTER_WEIGHTS) as scratch:
        safetensors.save_file(named, scratch, metadata={"format": "pt"})
    with appearing(out / "README.md") as scratch:
        scratch.write_text(card, encoding="utf-8")
    write_json(out / ADAPTER_CONFIG, _configuration(model.peft_config[NEW], folder))


def _configuration(config: Any, folder: ModelFolder) -> dict[str, Any]:
    with TemporaryDirectory() as place:
        config.save_pretrained(place)
        content: dict[str, Any] = json.loads((Path(place) / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    backend = parse_backend(folder.spec)
    # Not the folder that it was read from: of the hub's models that is this machine's cache.
    return content | {
        "base_model_name_or_path": backend.name,
        "revision": folder.commit if backend.base == "hf" else None,
        "inference_mode": True,
    }
