"""LoRA adapters on a base: each is loaded once, by a name of its own, and switched on and off."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model_folder import ModelFolder, import_vlm


class Adapters:
    """The adapters of one loaded model; whoever switches them holds the model's lock."""

    def __init__(self, model: Any, base: str) -> None:
        self._model = model
        self._base = base
        self._loaded: dict[tuple[str, int], str] = {}  # (folder, its stamp) -> the adapter's name in the model
        self._active: tuple[str, ...] = ()

    def load(self, folder: ModelFolder) -> str:
        """Load an adapter, unless it is there, and return its name in the model; it stays off.

        Raises:
            InputError: It was made for another base, or cannot be read.
        """
        key = (str(folder.path), folder.stamp)
        if key not in self._loaded:
            name = f"lora{len(self._loaded)}"  # no dots: it becomes part of modules' names
            self._read(folder, name)
            self._loaded[key] = name
            self._active = (name,)  # what loading leaves behind
            self.activate(())
        return self._loaded[key]

    def activate(self, names: tuple[str, ...]) -> None:
        """Let just these work: their changes to a weight add up; none at all leaves the base as it was."""
        if names == self._active:
            return
        if names:
            self._model.enable_adapters()
            self._model.set_adapter(list(names))
        else:
            self._model.disable_adapters()
        self._active = names

    def _read(self, folder: ModelFolder, name: str) -> None:
        import_vlm("peft")
        remedy = f"Name the base that it was trained on: {_trained_on(folder)}"
        wanted = f"an adapter for {self._base}"
        try:
            with _quiet():
                report = self._model.load_adapter(str(folder.path), adapter_name=name, use_safetensors=True)
        except (ValueError, RuntimeError, KeyError, TypeError, OSError) as error:
            self._remove(name)
            found = f"{folder.spec}, which does not fit ({' '.join(str(error).split())[:200]})"
            raise InputError(wanted, found, remedy) from error
        missing = [key for key in report.missing_keys if f".{name}." in key]
        unfit = [*report.mismatched_keys, *report.unexpected_keys, *missing]
        if unfit:
            self._remove(name)
            first = unfit[0] if isinstance(unfit[0], str) else unfit[0][0]
            found = f"{folder.spec}, in which {len(unfit)} weights do not fit, such as {first}"
            raise InputError(wanted, found, remedy)

    def _remove(self, name: str) -> None:
        """Take out again what did not fit, so that the base goes on as if nothing had happened."""
        if getattr(self._model, "_hf_peft_config_loaded", False) and name in getattr(self._model, "peft_config", {}):
            with _quiet():
                self._model.delete_adapter(name)
        self._active = (name,)
        if self._loaded:
            self.activate(())


@contextmanager
def _quiet() -> Iterator[None]:
    """The library reports the weights of all other adapters as missing, and warns that there are several."""
    logs = import_vlm("transformers").utils.logging
    before = logs.get_verbosity()
    logs.set_verbosity(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logs.set_verbosity(before)


def _trained_on(folder: ModelFolder) -> str:
    try:
        config = json.loads((folder.path / "adapter_config.json").read_text(encoding="utf-8"))
        return f"{config['base_model_name_or_path']}."
    except (OSError, ValueError, KeyError, TypeError):
        return "see its description."
