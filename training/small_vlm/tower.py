"""The vision tower's own first lessons: what is where in a picture, and of which colour, for every token at once.

A real base brings a tower that its makers trained on millions of pictures. Through a language model's loss a tower from
nothing is asked a few words a picture; here each token is asked for its classes and the picture for its colours, by two
linear heads, which are thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.training.small_vlm.practice import COLOURED
from geosleuth.training.towns.language.shown import Shown, shown_on_disk
from geosleuth.training.towns.making.classes import class_number

TOKEN_PX = 28  # side of what one token sees
_GROUPS = (*COLOURED.values(), ("sky",), ("water", "sea", "river"), ("car", "bus", "van", "truck"))
_LEAST_SHARE = 0.01  # of the picture that a class has, for its colour to be asked
_LEARNING_RATE = 2e-3
_COLOUR_WEIGHT = 10.0  # squared errors of colours in [0, 1] are about 0.01, the entropies of classes about 1
_WARM_UP = 0.1

Floats = NDArray[np.float32]
OnStep = Callable[[int, float], Any] | None


def tower_first(folder: Path, pictures: Sequence[Path], *, steps: int, seed: int = 0, on_step: OnStep = None) -> None:
    """Train the tower of a model that `write_base` wrote, in its folder."""
    transformers = import_vlm("transformers")
    processor = transformers.AutoProcessor.from_pretrained(folder)
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype=import_vlm("torch").float32)
    train_tower(model, processor, pictures, steps=steps, seed=seed, on_step=on_step)
    model.save_pretrained(folder)


def train_tower(
    model: Any,
    processor: Any,
    pictures: Sequence[Path],
    *,
    steps: int,
    batch: int = 32,
    seed: int = 0,
    on_step: OnStep = None,
) -> None:
    """Train a Qwen2.5-VL's vision tower, in place, on pictures of towns of whole tokens' size.

    Args:
        model: Its language model stays as it is.
        processor: Of the model.
        pictures: With masks; all sizes may be among them.
        steps: Of the optimiser.
        batch: Pictures a step.
        seed: Of their order.
        on_step: Told the step and its loss.
    """
    torch = import_vlm("torch")
    torch.manual_seed(seed)
    tower, width = model.model.visual, model.config.text_config.hidden_size
    classes = torch.nn.Linear(width, len(_GROUPS) + 1)
    colours = torch.nn.Linear(width, 3 * len(COLOURED))
    weights = [*tower.parameters(), *classes.parameters(), *colours.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=_LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, steps + 1, pct_start=_WARM_UP)
    rng = np.random.default_rng(seed)
    order: list[int] = []
    for step in range(1, steps + 1):
        if len(order) < batch:
            order = rng.permutation(len(pictures)).tolist()
        shown = [shown_on_disk(pictures[order.pop()]) for _ in range(min(batch, len(order)))]
        pixels = processor.image_processor([one.pixels for one in shown], return_tensors="pt")
        tokens = tower(pixels["pixel_values"], grid_thw=pixels["image_grid_thw"]).pooler_output
        loss = _loss(torch, tokens, shown, classes, colours)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        if on_step:
            on_step(step, loss.item())


def _loss(torch: Any, tokens: Any, shown: Sequence[Shown], classes: Any, colours: Any) -> Any:
    shares = [token_shares(one.labels) for one in shown]
    pooled = torch.stack([part.mean(0) for part in tokens.split([len(one) for one in shares])])
    wanted = torch.from_numpy(np.concatenate(shares))
    entropy = -(wanted * torch.log_softmax(classes(tokens), dim=-1)).sum(-1).mean()
    means = torch.from_numpy(np.stack([class_colours(one) for one in shown]))
    known = ~torch.isnan(means)
    error = (torch.sigmoid(colours(pooled)) - means.nan_to_num())[known].square().mean()
    return entropy + _COLOUR_WEIGHT * error


def token_shares(labels: NDArray[np.uint8]) -> Floats:
    """Return the share of each group of classes, and of all else, in each token: (tokens, groups + 1), row by row."""
    height, width = (side // TOKEN_PX for side in labels.shape)
    blocks = labels[: height * TOKEN_PX, : width * TOKEN_PX].reshape(height, TOKEN_PX, width, TOKEN_PX)
    cells = blocks.transpose(0, 2, 1, 3).reshape(height * width, -1)
    shares = [np.isin(cells, [class_number(kind) for kind in group]).mean(axis=1) for group in _GROUPS]
    found = np.stack([*shares, 1.0 - np.sum(shares, axis=0)], axis=1)
    return np.asarray(found, np.float32)


def class_colours(shown: Shown) -> Floats:
    """Return the mean colour, in [0, 1], of each class of `COLOURED` one after the other; NaN where it is not seen."""
    found = np.full((len(COLOURED), 3), np.nan, np.float32)
    for row, kinds in enumerate(COLOURED.values()):
        if shown.share(*kinds) >= _LEAST_SHARE:
            found[row] = shown.pixels[shown.inside(*kinds)].mean(axis=0) / 255.0
    return found.ravel()
