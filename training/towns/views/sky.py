"""Sky and sun: a gradient with clouds that hang over the town, and the side from which light falls."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from geosleuth.training.towns.views.scene import Floats, Scene

_ZENITH = np.array([92, 140, 202], dtype=np.float32)
HAZE = np.array([206, 216, 226], dtype=np.float32)  # what everything fades into at the horizon
_CLOUD = np.array([244, 245, 247], dtype=np.float32)
_CLOUD_SPAN = 2.2  # heights of the cloud layer per repeat of the noise: clouds of some 20 to 60 degrees overhead


@dataclass(frozen=True, slots=True)
class Weather:
    """The sky above one view."""

    cover: float  # 0 clear to 1 overcast
    shift: tuple[float, float]  # of the clouds, in repeats of the noise


def weather_of(scene: Scene, rng: np.random.Generator | None) -> Weather:
    """Draw the sky of a view: the town's own without rng, another day's with it."""
    draw = rng if rng is not None else np.random.default_rng((scene.town.seed, 77))
    cover, east, north = draw.uniform(size=3)
    return Weather(float(cover), (float(east), float(north)))


def sky_at(scene: Scene, compass: Floats, slope: Floats, weather: Weather) -> Floats:
    """Return the colour (n, 3) of the sky in n directions with slopes from 0 up."""
    rise = np.maximum(slope, 0) / np.sqrt(1 + slope * slope)  # sine of the elevation
    colour = HAZE + (_ZENITH - HAZE) * np.sqrt(rise)[:, None]
    away = 1 / np.maximum(slope, 0.08)  # flat layer; below 5 degrees it would alias
    size = scene.noise.shape[0]
    column = ((away * np.sin(compass) / _CLOUD_SPAN + weather.shift[0]) * size) % size
    row = ((away * np.cos(compass) / _CLOUD_SPAN + weather.shift[1]) * size) % size
    wrapped = np.pad(scene.noise, ((0, 1), (0, 1)), mode="wrap")
    density = _sampled(wrapped, column.astype(np.float32), row.astype(np.float32))
    cloud = np.clip((density + 1.6 * weather.cover - 0.8) * 1.6, 0, 1) * np.clip(
        slope * 4 - 0.3, 0, 1
    )  # lower ones are lost in haze
    return np.asarray(colour + (_CLOUD - colour) * cloud[:, None], dtype=np.float32)


def _sampled(layer: Floats, column: Floats, row: Floats) -> Floats:
    """Sample bilinearly at n points; remap takes two-dimensional maps of less than 32,768 rows."""
    wide = 512
    padded = -(-len(column) // wide) * wide
    across, down = (np.resize(at, padded).reshape(-1, wide).astype(np.float32) for at in (column, row))
    return np.asarray(cv2.remap(layer, across, down, cv2.INTER_LINEAR).reshape(padded, -1)[: len(column), 0])
