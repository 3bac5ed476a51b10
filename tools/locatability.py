"""The locatability tool: how much of a photo could tell its place, judged without any model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from geosleuth.indexes.photo import Photo

Floats = NDArray[np.float32]

_SIDE_PX = 256  # a photo looks the same at this size, the noise of its sensor is averaged out, and it costs 10 ms

# Weights of the parts in the score; they sum to 1. Judgements, checked on 373 street photos against blank, noise and
# studio pictures. Text leads, since it is what the embedded reader turns into a place; the rest only says "outdoors",
# and reaches 0.7 by itself, since most streets show no readable word.
_WEIGHTS = {
    "text": 0.30,  # letters that were read
    "detail": 0.25,  # edges: buildings, signs, leaves
    "sky": 0.15,  # smooth, and blue or bright grey, in the upper third: taken outdoors
    "ground": 0.15,  # the greys of asphalt and paving, or greens, in the lower third
    "light": 0.15,  # neither too dark nor blown out
}
_LETTERS_FOR_ALL = 20  # two or three words: a shop's name, a street sign; more adds little
_MIN_READ_SCORE = 0.6  # the recogniser's noise is as often below as above; real words lie mostly above
_UNREADABLE_LETTERS = 4  # a line of a script that nobody here reads is still a sign, of about one short word

_BLOCK = 8
_EDGE = 0.08  # a step of 20 grey levels between neighbours at this size
# Where nothing is shown. Measured on street photos: brightest percentile 0.52 and more, edges 3.4 % and more, coarse
# share 0.70 and more; lawn and gravel filling the picture have a coarse share of 0.4, white noise of 0.125.
_BLACK, _BLANK, _NOISE = 0.10, 0.005, 0.33

Flag = Literal["black", "blank", "noise"]


class TextLike(Protocol):
    """What is used of a line of text."""

    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def score(self) -> float: ...  # noqa: D102
    @property
    def readable(self) -> bool: ...  # noqa: D102


class Locatability(BaseModel):
    """How likely the photo shows enough to be placed, in [0, 1], with what speaks for it."""

    model_config = ConfigDict(frozen=True)

    score: float = Field(ge=0.0, le=1.0)
    parts: dict[str, float]  # each in [0, 1]: before its weight (embedded), what a class adds, a model's yes and no
    backend: str = "embedded"  # or the spec of the model
    weights: str = ""  # which model with which hash, for the record
    flag: Flag | None = None  # set where nothing is shown at all
    reason: str


def score_locatability(photo: Photo, lines: Sequence[TextLike] = ()) -> Locatability:
    """Score whether a photo shows enough to be placed; use it before costly searches, as a soft signal only."""
    rgb = _thumbnail(photo)
    grey = rgb @ np.array([0.299, 0.587, 0.114], dtype=np.float32)  # luma of ITU-R BT.601
    slopes = _slopes(grey)
    edges = float((slopes > _EDGE).mean())
    coarse, brightest = _coarse_share(grey), float(np.quantile(grey, 0.99))
    parts = {
        "text": _text(lines),
        "detail": _ramp(edges, 0.02, 0.15),  # street photos: 2 % above 0.076, half above 0.20
        "sky": _sky(rgb, slopes),
        "ground": _ground(rgb),
        "light": _light(grey),
    }
    # Each of the three can veto. Between the ends lie pictures that are nearly black, blank or noise.
    shown = _ramp(brightest, 0.06, 0.25) * _ramp(edges, 0.005, 0.03) * _ramp(coarse, 0.30, 0.60)
    flag: Flag | None = None
    if brightest < _BLACK:
        flag = "black"
    elif edges < _BLANK:
        flag = "blank"
    elif coarse < _NOISE:
        flag = "noise"
    score = shown * sum(weight * parts[name] for name, weight in _WEIGHTS.items())
    return Locatability(score=min(1.0, score), parts=parts, flag=flag, reason=_reason(parts, flag))


def _thumbnail(photo: Photo) -> Floats:
    """The photo at `_SIDE_PX` on its long side, as floats in [0, 1] of shape (h, w, 3)."""
    image = Image.fromarray(photo.pixels)
    scale = _SIDE_PX / max(image.size)
    size = (max(_BLOCK, round(image.width * scale)), max(_BLOCK, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.BOX), dtype=np.float32) / 255.0


def _slopes(grey: Floats) -> Floats:
    """The larger of the steps to the right and downwards, shape (h - 1, w - 1)."""
    right, down = np.abs(np.diff(grey, axis=1))[:-1], np.abs(np.diff(grey, axis=0))[:, :-1]
    larger: Floats = np.maximum(right, down)
    return larger


def _coarse_share(grey: Floats) -> float:
    """The share of the contrast that averaging 8 x 8 blocks leaves: 1/8 for white noise, about 0.9 for scenes."""
    height, width = grey.shape[0] // _BLOCK, grey.shape[1] // _BLOCK
    blocks = grey[: height * _BLOCK, : width * _BLOCK].reshape(height, _BLOCK, width, _BLOCK).mean(axis=(1, 3))
    return float(blocks.std() / max(float(grey.std()), 1e-6))


def _text(lines: Sequence[TextLike]) -> float:
    letters = 0
    for line in lines:
        if not line.readable:
            letters += _UNREADABLE_LETTERS
        elif line.score >= _MIN_READ_SCORE:
            letters += sum(character.isalpha() for character in line.text)
    return min(1.0, letters / _LETTERS_FOR_ALL)


def _sky(rgb: Floats, slopes: Floats) -> float:
    top = rgb[:-1, :-1][: rgb.shape[0] // 3]
    smooth = slopes[: rgb.shape[0] // 3] < 0.03
    light, saturation = _light_and_saturation(top)
    blue = (top[..., 2] > top[..., 0] * 1.08) & (top[..., 2] > top[..., 1]) & (light > 0.35)
    overcast = (light > 0.60) & (saturation < 0.15)
    return _ramp(float((smooth & (blue | overcast)).mean()), 0.05, 0.45)


def _ground(rgb: Floats) -> float:
    bottom = rgb[-(rgb.shape[0] // 3) :]
    light, saturation = _light_and_saturation(bottom)
    paved = (saturation < 0.25) & (light > 0.15) & (light < 0.80)
    green = (bottom[..., 1] > bottom[..., 2] * 1.1) & (bottom[..., 1] >= bottom[..., 0] * 0.95) & (saturation > 0.15)
    return _ramp(float((paved | green).mean()), 0.10, 0.70)


def _light_and_saturation(rgb: Floats) -> tuple[Floats, Floats]:
    """Value and saturation of the HSV model, each in [0, 1]."""
    light, dark = rgb.max(axis=-1), rgb.min(axis=-1)
    return light, (light - dark) / np.maximum(light, 1e-3)


def _light(grey: Floats) -> float:
    usable = float(((grey > 0.06) & (grey < 0.97)).mean())  # not lost in shadow, not blown out
    return _ramp(usable, 0.3, 0.9) * _ramp(float(grey.std()), 0.03, 0.12)


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`, linear between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _reason(parts: dict[str, float], flag: Flag | None) -> str:
    if flag is not None:
        return {
            "black": "The picture is black: nothing is shown.",
            "blank": "The picture has no edges: a wall, a cloth or a clear sky.",
            "noise": "The picture is noise: no structure survives averaging.",
        }[flag]
    words = {
        "text": "readable text",
        "detail": "much detail",
        "sky": "what looks like sky",
        "ground": "what looks like a road, paving or plants",
        "light": "good light",
    }
    seen = [words[name] for name, value in parts.items() if value >= 0.5]
    missing = [words[name] for name, value in parts.items() if value < 0.2]
    sentence = "It shows " + (", ".join(seen) if seen else "little that could tell a place")
    return sentence + (f"; it lacks {', '.join(missing)}." if missing else ".")
