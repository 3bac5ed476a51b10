"""Models of transformers that are not vision-language models, from a checked folder: safetensors only, and whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model_folder import import_vlm, open_model_folder

if TYPE_CHECKING:
    from geosleuth.indexes.backend import Backend
    from geosleuth.tools.vlm.model_folder import ModelFolder

Loaded = TypeVar("Loaded")


def import_transformers() -> Any:
    """Import transformers, with torch.

    Raises:
        InputError: One of them is not installed.
    """
    import_vlm("torch")  # transformers imports without it, and fails later with less to say
    return import_vlm("transformers")


def open_folder(backend: Backend, what: str) -> ModelFolder:
    """Find a model's folder, on this machine or on the hub, and check that its files are whole.

    Args:
        backend: hf:ORG/NAME[@REV] or dir:PATH.
        what: What the model is wanted for, as a noun phrase.

    Raises:
        InputError: It cannot be had, or has no safetensors.
    """
    import_vlm("transformers")  # said before anything is fetched
    try:
        return open_model_folder(backend)
    except InputError as error:
        raise InputError(f"{what}, with its weights as safetensors", error.found, error.remedy) from error


def part_of(load: Callable[..., Loaded], folder: ModelFolder, **options: Any) -> Loaded:
    """Call a `from_pretrained` on the folder, and turn whatever goes wrong into an error for people.

    Raises:
        InputError: It went wrong.
    """
    from geosleuth.tools.vlm.quiet import without_progress

    try:
        with without_progress():
            return load(folder.path, trust_remote_code=False, local_files_only=True, **options)
    except Exception as error:  # the library raises whatever its files make it
        found = f"one that cannot be loaded ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
        raise InputError(
            f"the model {folder.spec}", found, "Name a whole model: weights, config, processor."
        ) from error


def load_weights(kind: Any, folder: ModelFolder, *, unused: str | tuple[str, ...] = ()) -> Any:
    """Load a model of the class `kind`, in float32 and for inference, and refuse one that is not whole.

    Args:
        kind: A class of transformers with `from_pretrained`.
        folder: Where from.
        unused: Weights whose names begin so (or with one of several) may be missing; by default none may.

    Raises:
        InputError: The weights do not fit the class, or some are missing.
    """
    options = {"use_safetensors": True, "dtype": "float32", "output_loading_info": True}
    model, report = part_of(kind.from_pretrained, folder, **options)
    _refuse_unfilled(model, report["missing_keys"], folder.spec, unused)
    return model.eval()


def _refuse_unfilled(model: Any, missing: Iterable[str], spec: str, unused: str | tuple[str, ...]) -> None:
    """A backbone loads without an error where its head should stand, and the head is left at random."""
    names = {name for name, _ in model.named_parameters() if not name.startswith(unused)}
    unfilled = names & set(missing)
    if unfilled:
        found = f"a file without {len(unfilled)} of them, such as {min(unfilled)}"
        remedy = "Name a model that was trained for this, not the backbone that such models are made of."
        raise InputError(f"all weights of {spec}", found, remedy)
