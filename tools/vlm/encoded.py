"""Prompts as tokens, with their images encoded: each image once per photo, wherever and however often it stands."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.tools.vlm.naive import Rendered, adds_special_tokens
from geosleuth.tools.vlm.pictures import Digests

if TYPE_CHECKING:
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.vlm.loaded import LoadedBase

# Encoded images of one photo: its own, ten candidates and some crops. One of 768 tokens takes 5.5 MB at 7B.
_KEPT = 24


@dataclass(frozen=True, eq=False)
class Picture:
    """One image after the vision tower."""

    number: int  # of the image, in the order in which the view met them
    mark: str  # the image's placeholders in the text
    grid: Any  # (1, 3) patches in time, height and width; None where a model's images have one size
    features: Any  # (tokens, width)
    deep: tuple[Any, ...]  # the same for each of the first layers, where the tower feeds those as well


@dataclass(frozen=True, eq=False)
class Encoded:
    """A prompt as the model takes it."""

    tokens: Any  # (length,) on the CPU
    key: NDArray[np.int64]  # as the tokens, but each image's have a number of their own, below 0
    positions: Any  # (3, length) or (1, length): for the rotary embedding
    pictures: tuple[tuple[int, Picture], ...]  # with the index of the first token

    def __len__(self) -> int:
        return len(self.key)

    @property
    def next_position(self) -> int:
        """Where the reply begins."""
        return int(self.positions.max()) + 1

    def outputs_from(self, start: int, stop: int) -> list[Picture]:
        """Return the images between two tokens; neither cuts one."""
        return [picture for index, picture in self.pictures if start <= index < stop]


class Encoder:
    """Turns prompts into tokens and images into features; keeps the images of one photo."""

    def __init__(self, base: LoadedBase, processor: Any) -> None:
        self._base = base
        self._processor = processor
        self._image_token = processor.tokenizer.convert_tokens_to_ids(processor.image_token)
        self._digests = Digests()
        self._numbers: dict[bytes, int] = {}
        self._kept: OrderedDict[bytes, Picture] = OrderedDict()

    def encode(self, prompt: Rendered) -> Encoded:
        """Encode a prompt; images that were met before are not looked at again."""
        torch = import_vlm("torch")
        text, images = prompt
        pictures = [self._picture(image) for image in images]
        tokenizer = self._processor.tokenizer
        marked = self._marked(text, pictures)
        tokens = np.array(
            tokenizer(marked, add_special_tokens=adds_special_tokens(tokenizer, marked))["input_ids"], dtype=np.int64
        )
        key = tokens.copy()
        places = np.flatnonzero(tokens == self._image_token)
        spans, used = [], 0
        for picture in pictures:
            own = places[used : used + len(picture.features)]
            key[own] = -1 - picture.number
            spans.append((int(own[0]), picture))
            used += len(own)
        if used != len(places):  # neutralised texts hold no placeholder
            raise ValueError(f"{len(places)} placeholders for images of {used} tokens")
        return Encoded(torch.from_numpy(tokens), key, self._positions(tokens, pictures), tuple(spans))

    def _marked(self, text: str, pictures: Sequence[Picture]) -> str:
        pieces = text.split(self._processor.image_token)
        if len(pieces) != len(pictures) + 1:
            raise ValueError(f"{len(pieces) - 1} placeholders for {len(pictures)} images")
        return pieces[0] + "".join(one.mark + piece for one, piece in zip(pictures, pieces[1:], strict=True))

    def _positions(self, tokens: NDArray[np.int64], pictures: Sequence[Picture]) -> Any:
        torch = import_vlm("torch")
        if not self._base.is_spatial:
            return torch.arange(len(tokens))[None]
        # Of the whole prompt: where a text stands depends on the shapes of all images before it.
        grids = torch.cat([one.grid for one in pictures]) if pictures else None
        ids = torch.from_numpy(tokens)[None]
        kinds = (ids == self._image_token).int()  # 0 for text, 1 for an image
        positions, _ = self._base.model.model.get_rope_index(ids, mm_token_type_ids=kinds, image_grid_thw=grids)
        return positions[:, 0]

    def _picture(self, image: Pixels) -> Picture:
        digest = self._digests.of(image)
        if digest not in self._kept:
            number = self._numbers.setdefault(digest, len(self._numbers))
            self._kept[digest] = self._seen(image, number)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(digest)
        return self._kept[digest]

    def _seen(self, image: Pixels, number: int) -> Picture:
        base, processor = self._base, self._processor
        inputs = processor.image_processor([image.copy()], return_tensors="pt")  # torch warns about read-only ones
        mark = processor.replace_image_token(inputs, 0)
        on_device = {name: value.to(base.device) for name, value in inputs.items()}
        on_device["pixel_values"] = on_device["pixel_values"].to(base.dtype)
        found = base.model.get_image_features(**on_device, return_dict=True)
        deep = tuple(layer[0] for layer in getattr(found, "deepstack_features", None) or ())
        return Picture(number, mark, inputs.get("image_grid_thw"), found.pooler_output[0], deep)


def features_of(pictures: Sequence[Picture]) -> dict[str, Any]:
    """Return images as the models take them when the vision tower has run already."""
    if not pictures:
        return {}
    layers = len(pictures[0].deep)
    output = SimpleNamespace(
        pooler_output=[one.features for one in pictures],
        deepstack_features=[[one.deep[layer] for one in pictures] for layer in range(layers)],
    )
    return {"mm_encoder_outputs": {"image": output}}
