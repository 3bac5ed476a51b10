"""What drawing a block takes, and the fronts of the houses that it leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geosleuth.training.towns.making.canvas import Canvas
from geosleuth.training.towns.making.houses import put_house
from geosleuth.training.towns.making.shapes import Points
from geosleuth.training.towns.making.style import Style


@dataclass(frozen=True, slots=True)
class Front:
    """A house's edge to the street, where signs may hang."""

    structure: int
    start: tuple[float, float]
    end: tuple[float, float]  # to the left of the walk from start to end lies the house
    height_m: float
    shop: bool


@dataclass(frozen=True, eq=False)
class Site:
    """What drawing a block takes."""

    canvas: Canvas
    style: Style
    difficulty: float
    central: float  # 1 in the town's middle, 0 at its edge
    rng: np.random.Generator
    fronts: list[Front]

    def house(
        self, quad: Points, storeys: int, *, kind: str = "building", shop: bool = False, blind: bool = False
    ) -> None:
        """Put a house, and remember its front."""
        index = put_house(
            self.canvas, quad, self.style, storeys, self.difficulty, self.rng, kind=kind, shop=shop, blind=blind
        )
        (x0, y0), (x1, y1) = quad[:2].tolist()
        self.fronts.append(Front(index, (x0, y0), (x1, y1), self.canvas.structures[index].height_m, shop))

    def storeys(self) -> int:
        """Draw a common height, more towards the middle."""
        low, high = self.style.storeys
        return int(np.clip(round(self.rng.uniform(low - 0.4, high + 0.4) + 0.6 * (self.central - 0.5)), 1, high + 1))
