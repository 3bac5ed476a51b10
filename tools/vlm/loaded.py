"""A base in memory: loaded once per process, on the device and in the precision that suit the machine."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.adapters import Adapters
from geosleuth.tools.vlm.model_folder import ModelFolder, import_vlm
from geosleuth.tools.vlm.quantised import BYTES, PACKAGES, check_bits, plain, quantisation
from geosleuth.tools.vlm.quiet import without_progress

logger = logging.getLogger(__name__)

# What a forward pass needs beside the weights: activations and the cache of 32,000 tokens (1.9 GB at 7B), rounded up.
_WORKING_MEMORY = 3_000_000_000  # bytes

# Device, precision, bits of a weight: None as the precision has them, 4 also where nothing else fits the GPU.
_Placement = tuple[Any, Any, int | None]
# One lives while a role holds it; by the bits asked for and by those it has, so that both ways lead to it.
_bases: WeakValueDictionary[tuple[str, int, int | None], LoadedBase] = WeakValueDictionary()
_bases_lock = threading.Lock()


class LoadedBase:
    """A model with its processor, and the adapters on it."""

    def __init__(self, folder: ModelFolder, placement: _Placement) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.device, self.dtype, self.bits = placement
        self.processor = _read_processor(folder)
        self.model = _read_model(folder, self.device, self.dtype, self.bits)
        self.adapters = Adapters(self.model, folder.spec)
        bit = f", {self.bits} bit" if self.bits else ""
        self.form = f"{str(self.dtype).removeprefix('torch.')}{bit} on {self.device}"
        logger.info("Loaded %s: %.2f G parameters, %s", folder.spec, folder.n_parameters / 1e9, self.form)

    @contextmanager
    def using(self, adapters: tuple[str, ...]) -> Iterator[None]:
        """Hold the model for one operation, with just these adapters at work.

        Raises:
            InputError: The memory does not suffice.
        """
        torch = import_vlm("torch")
        with self.lock, torch.inference_mode():
            self.adapters.activate(adapters)
            try:
                yield
            except (RuntimeError, MemoryError) as error:
                if not _is_about_memory(error):
                    raise
                if self.device.type == "cuda":
                    torch.cuda.empty_cache()
                raise out_of_memory(self.folder.spec, str(self.device), error) from error

    @cached_property
    def is_spatial(self) -> bool:
        """Whether the rotary embedding takes positions in time, height and width (Qwen) rather than one number."""
        return hasattr(self.model.model, "get_rope_index")

    @cached_property
    def end_tokens(self) -> frozenset[int]:
        """Tokens that end a reply, as the model's own configuration has them."""
        config = getattr(self.model, "generation_config", None)
        found = getattr(config, "eos_token_id", None)
        ends = [] if found is None else [found] if isinstance(found, int) else list(found)
        own = self.processor.tokenizer.eos_token_id
        return frozenset([*ends, *([] if own is None else [own])])


def load_base(folder: ModelFolder, bits: int | None = None) -> LoadedBase:
    """Load a base, or return the one that is in memory already.

    Args:
        folder: Of the base.
        bits: Of a weight, 8 or 4; None: as the machine has room for.

    Raises:
        InputError: A package is missing, the weights do not fit the machine, or cannot be read.
    """
    key = (str(folder.path), folder.stamp, bits)
    with _bases_lock:
        base = _bases.get(key)
        if base is None:
            gc.collect()  # a base that nobody holds any more may still have its memory: its modules refer to each other
            placement = _placement(import_vlm("torch"), folder, bits)
            chosen = (str(folder.path), folder.stamp, placement[2])
            base = _bases.get(chosen)
            if base is not None:
                _bases[key] = base
                return base
            others = dict.fromkeys(other.folder.spec for other in _bases.values())
            if others:
                logger.warning(
                    "%s is loaded beside %s: roles that share one base, and differ in adapters, need its memory once",
                    folder.spec,
                    " and ".join(others),
                )
            base = _bases[key] = _bases[chosen] = LoadedBase(folder, placement)
        return base


def _placement(torch: Any, folder: ModelFolder, bits: int | None = None) -> _Placement:
    """Choose the device, the precision, and the bits of a weight where they are to be fewer."""
    if bits is not None:
        check_bits(bits)
    if torch.cuda.is_available():
        device = torch.device("cuda", torch.cuda.current_device())
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        free, _ = torch.cuda.mem_get_info(device)
        if bits is None and 2 * folder.n_parameters + _WORKING_MEMORY <= free:
            return device, dtype, None
        _check_quantised(folder, bits or 4, free)
        return device, dtype, bits or 4
    if torch.backends.mps.is_available():
        if bits is not None:
            remedy = "Leave vlm_bits out, or name a smaller model."
            raise InputError(f"a CPU or a CUDA GPU for weights in {bits} bits", "an Apple GPU", remedy)
        return torch.device("mps"), torch.float16, None
    free = _free_memory()
    if bits is not None:
        if free is not None and BYTES[bits] * folder.n_parameters > free:
            raise _too_large(folder, free, "memory")
        return torch.device("cpu"), torch.float32, bits
    # Single precision is the fast one on most CPUs; half of it is slow, and better than nothing.
    fits = free is None or 4 * folder.n_parameters <= free
    if not fits and free is not None and 2 * folder.n_parameters > free:
        raise _too_large(folder, free, "memory")
    return torch.device("cpu"), torch.float32 if fits else torch.bfloat16, None


def _check_quantised(folder: ModelFolder, bits: int, free: int) -> None:
    if BYTES[bits] * folder.n_parameters + _WORKING_MEMORY > free:
        raise _too_large(folder, free, "free GPU memory")
    try:
        check_bits(bits)
    except InputError as error:
        raise InputError(
            f"{(2 * folder.n_parameters + _WORKING_MEMORY) / 1e9:.1f} GB of free GPU memory for {folder.spec}",
            f"{free / 1e9:.1f} GB, and no {PACKAGES[bits]} to load it in {bits} bits",
            f"Install {PACKAGES[bits]}, free the GPU, or name a smaller model.",
        ) from error


def _too_large(folder: ModelFolder, free: int, where: str) -> InputError:
    return InputError(
        f"{where} for {folder.spec} with {folder.n_parameters / 1e9:.2f} G parameters",
        f"{free / 1e9:.1f} GB",
        "Name a smaller model, or run it on a server: openai:MODEL@URL.",
    )


def _free_memory() -> int | None:
    """Bytes that programs may still take, where the system says so (Linux)."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None


def _read_processor(folder: ModelFolder) -> Any:
    transformers = import_vlm("transformers")
    try:
        processor = transformers.AutoProcessor.from_pretrained(folder.path, trust_remote_code=False)
        tokenizer, pictures = processor.tokenizer, processor.image_processor
    except Exception as error:  # the library raises whatever its files make it
        raise _unreadable(folder, "a processor for text and images", error) from error
    if tokenizer is None or pictures is None or not processor.chat_template:
        raise InputError(
            f"a tokenizer, an image processor and a chat template in {folder.spec}",
            "a folder without one of them",
            "Name a model that was trained to talk (often called Instruct or Chat).",
        )
    return processor


def _read_model(folder: ModelFolder, device: Any, dtype: Any, bits: int | None) -> Any:
    transformers = import_vlm("transformers")
    options: dict[str, Any] = {} if not bits else {"quantization_config": quantisation(bits, dtype)}
    try:
        # Code that a repository brings is never run, and weights are never unpickled.
        with without_progress():
            model = transformers.AutoModelForImageTextToText.from_pretrained(
                folder.path,
                dtype=dtype,
                device_map={"": device},
                attn_implementation="sdpa",
                use_safetensors=True,
                trust_remote_code=False,
                **options,
            )
    except Exception as error:  # the library raises whatever a damaged folder makes it
        if _is_about_memory(error):
            raise out_of_memory(folder.spec, str(device), error) from error
        raise _unreadable(folder, "a vision-language model", error) from error
    if bits:
        plain(model)
    return model.eval()


def _unreadable(folder: ModelFolder, what: str, error: Exception) -> InputError:
    found = f"none that can be loaded ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
    return InputError(f"{what} in {folder.spec}", found, "Fetch or copy it again, or name another model.")


def _is_about_memory(error: BaseException) -> bool:
    # CUDA has a class of its own for it; the allocators of CPU and MPS only say it.
    words = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("out of memory" in words or "can't allocate memory" in words)
    )


def out_of_memory(spec: str, device: str, error: BaseException) -> InputError:
    """What a user can do when the memory does not suffice."""
    first = str(error).partition(".")[0].strip() or type(error).__name__
    return InputError(
        f"memory on {device} to run {spec}",
        f"too little ({first})",
        "Lower vlm_max_pixels, name a smaller model, or run it on a server: openai:MODEL@URL.",
    )
