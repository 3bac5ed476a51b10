"""LoRA adapters on a base: each is loaded once, by a name of its own, and switched on and off."""

from __future__ import annotations

import json
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model_folder import ModelFolder, import_vlm
from geosleuth.tools.vlm.quiet import quiet


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
            self._switch_off()
        return self._loaded[key]

    def activate(self, names: tuple[str, ...]) -> None:
        """Let just these work: their changes to a weight add up; none at all leaves the base as it was."""
        if names == self._active:
            return
        if names:
            self._model.enable_adapters()
            self._model.set_adapter(list(names))
        elif self._loaded:  # a model that never took one up cannot switch them off
            self._model.disable_adapters()
        self._active = names

    def _read(self, folder: ModelFolder, name: str) -> None:
        import_vlm("peft")
        try:
            # The library reports the weights of all other adapters as missing, and warns that there are several.
            # Of other shapes it is to take note as well, so that we can say which ones: nothing of them is kept.
            with quiet():
                report = self._model.load_adapter(
                    str(folder.path), adapter_name=name, use_safetensors=True, ignore_mismatched_sizes=True
                )
        except Exception as error:  # the library raises whatever an adapter's files make it
            self._remove(name)
            raise self._unfit(folder, f"which does not fit ({' '.join(str(error).split())[:200]})") from error
        missing = sorted(key for key in report.missing_keys if f".{name}." in key)
        unfit = [*missing, *sorted(report.unexpected_keys)]
        shapes = sorted(report.mismatched_keys)
        if shapes or unfit:
            self._remove(name)
        if shapes:
            first, own, wanted = shapes[0]
            example = f"{_of_file(first, name)} with {_sides(own)} in place of {_sides(wanted)}"
            how = f"in which {len(shapes)} weights have other shapes than the base asks for, such as {example}"
            raise self._unfit(folder, how)
        if unfit:
            raise self._unfit(folder, f"in which {len(unfit)} weights do not fit, such as {_of_file(unfit[0], name)}")

    def _unfit(self, folder: ModelFolder, how: str) -> InputError:
        remedy = f"Name the base that it was trained on: {_trained_on(folder)}"
        return InputError(f"an adapter for {self._base}", f"{folder.spec}, {how}", remedy)

    def _remove(self, name: str) -> None:
        """Take out again what did not fit, so that the base goes on as if nothing had happened."""
        delete_adapter = import_vlm("peft.functional").delete_adapter
        with quiet():
            # Not the model's own method: it knows nothing of an adapter that was put into half of the layers.
            delete_adapter(self._model, adapter_name=name, prefix="lora_")
        configs = getattr(self._model, "peft_config", {})
        configs.pop(name, None)
        if not configs:
            vars(self._model).pop("peft_config", None)
            self._model._hf_peft_config_loaded = False
        self._switch_off()

    def _switch_off(self) -> None:
        self._active = ("?",)  # loading and removing leave any adapters at work
        self.activate(())


def _of_file(key: str, name: str) -> str:
    """The weight's name as it stands in the adapter's file, where adapters have none."""
    return key.replace(f".{name}.", ".")


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _trained_on(folder: ModelFolder) -> str:
    try:
        config = json.loads((folder.path / "adapter_config.json").read_text(encoding="utf-8"))
        return f"{config['base_model_name_or_path']}."
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "see its description."
