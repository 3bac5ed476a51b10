"""The comparisons: which arms, which test sets, which seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from geosleuth.training.gleam_c.claims.cell import Cell
from geosleuth.training.gleam_c.claims.world import BATCH, STEPS, run_config, test_data, training_data
from geosleuth.training.gleam_c.config import DataConfig, GleamCConfig

SEEDS = (1, 2, 3)
ALL = ("panorama", "drone", "ground", "map")  # the four of the paper's mix


@dataclass(frozen=True)
class Table:
    """A comparison that one command makes."""

    title: str
    question: str
    cells: tuple[Cell, ...]
    columns: tuple[str, ...]  # modalities


class Tables:
    """The comparisons, on the towns in `work`."""

    def __init__(self, work: Path) -> None:
        self.work = work

    def named(self, name: str) -> Table:
        """Return a table by its name, of `NAMES`."""
        return NAMES[name](self)

    def dss(self) -> Table:
        """(a) Batches by chance, by neighbourhood, by similarity."""
        arms = {
            "random negatives": (False, False),
            "GPS neighbours throughout": (True, False),
            "GPS neighbours, then DSS": (True, True),
        }
        data = self._train("panorama")
        cells = []
        for arm, (gps, dss) in arms.items():
            for seed in SEEDS:
                chain = (run_config(arm, data, steps=STEPS, seed=seed, gps=gps, dss=dss),)
                cells.append(self._cell("dss", arm, seed, chain, ("panorama",)))
        title = "(a) Similarity sampling against random negatives"
        return Table(title, "Do batches of look-alikes help? Panoramas only.", tuple(cells), ("panorama",))

    def phases(self) -> Table:
        """(b) VIGOR first, then everything; against everything from the start."""
        cells = []
        for seed in SEEDS:
            scratch = (run_config("merged", self._mix(ALL), steps=STEPS, seed=seed),)
            cells += [
                self._cell("phases", "untrained", seed, (), ALL, untrained=scratch[0]),
                self._cell("phases", "merged from scratch", seed, scratch, ALL),
                self._cell("phases", "VIGOR, then merged", seed, self._two_phases(seed), ALL),
            ]
        title = "(b) Two phases against one"
        question = "Does VIGOR first help, at an equal number of steps? (half of them each)"
        return Table(title, question, tuple(cells), ALL)

    def imbalance(self) -> Table:
        """(c) Panoramas as often as the others, and up to 20 times."""
        cells = []
        for ratio in (1, 5, 20):
            for seed in SEEDS:
                mix = self._mix(ALL, {"panorama": 1.0, **dict.fromkeys(ALL[1:], 1.0 / ratio)})
                chain = (run_config(f"{ratio}:1", mix, steps=STEPS, seed=seed),)
                cells.append(self._cell("imbalance", f"{ratio}:1", seed, chain, ALL))
        title = "(c) Imbalance of modalities"
        question = "What if panoramas are drawn n times as often as each other modality?"
        return Table(title, question, tuple(cells), ALL)

    def unseen(self) -> Table:
        """(d) Night photos: never seen, added alone, added with replay."""
        columns, cells = (*ALL, "night"), []
        for seed in SEEDS:
            base = self._two_phases(seed)
            more = partial(run_config, steps=STEPS // 3, seed=seed, lr=1e-3)
            alone = more("night alone", self._train("night"))
            replay = more("night with replay", self._mix((*ALL, "night")))
            further = more("more of the old", self._mix(ALL))
            cells += [
                self._cell("unseen", "never seen (zero-shot)", seed, base, columns),
                self._cell("unseen", "more of the old, as many steps", seed, (*base, further), columns),
                self._cell("unseen", "then added alone", seed, (*base, alone), columns),
                self._cell("unseen", "then added with replay", seed, (*base, replay), columns),
            ]
        title = "(d) A modality never seen: photos at night"
        question = "What does the encoder make of them, and what does learning them cost the others?"
        return Table(title, question, tuple(cells), columns)

    def unified(self) -> Table:
        """One encoder for all, against one for each."""
        seed = SEEDS[0]
        cells = [
            self._cell(
                "unified",
                "merged from scratch",
                seed,
                (run_config("merged", self._mix(ALL), steps=STEPS, seed=seed),),
                ALL,
            ),
            *(
                self._cell(
                    "unified",
                    f"{name} alone",
                    seed,
                    (run_config(f"{name} alone", self._train(name), steps=STEPS // len(ALL), seed=seed),),
                    ALL,
                )
                for name in ALL
            ),
        ]
        title = "One encoder for all modalities, or one for each"
        question = f"Each encoder of one modality gets 1/{len(ALL)} of the steps: what it gets in the mix, on average."
        return Table(title, question, tuple(cells), ALL)

    def batch(self) -> Table:
        """Batch size at an equal number of pairs."""
        seed = SEEDS[0]
        cells = []
        for size in (16, 64, 128):
            chain = (
                run_config(
                    f"batch {size}", self._train("panorama"), steps=STEPS * BATCH // size, seed=seed, batch=size
                ),
            )
            cells.append(self._cell("batch", str(size), seed, chain, ("panorama",)))
        question = "At an equal number of pairs and one learning rate. Panoramas only."
        return Table("Batch size", question, tuple(cells), ("panorama",))

    def smoothing(self) -> Table:
        """Label smoothing."""
        seed = SEEDS[0]
        cells = []
        for value in (0.0, 0.1, 0.2):
            chain = (run_config("smoothing", self._train("panorama"), steps=STEPS, seed=seed, smoothing=value),)
            cells.append(self._cell("smoothing", str(value), seed, chain, ("panorama",)))
        return Table("Label smoothing", "Panoramas only.", tuple(cells), ("panorama",))

    def _two_phases(self, seed: int) -> tuple[GleamCConfig, ...]:
        return (
            run_config("phase 1", self._train("panorama"), steps=STEPS // 2, seed=seed),
            run_config("phase 2", self._mix(ALL), steps=STEPS // 2, seed=seed),
        )

    def _cell(
        self,
        table: str,
        arm: str,
        seed: int,
        chain: tuple[GleamCConfig, ...],
        columns: Sequence[str],
        untrained: GleamCConfig | None = None,
    ) -> Cell:
        return Cell(table, arm, seed, chain, tuple(map(self._test, columns)), untrained)

    def _mix(self, names: Sequence[str], weights: dict[str, float] | None = None) -> tuple[DataConfig, ...]:
        """Every modality as often as the others, or by `weights`."""
        return tuple(part for name in names for part in self._train(name, (weights or {}).get(name, 1.0)))

    def _train(self, name: str, weight: float = 1.0) -> tuple[DataConfig, ...]:
        return training_data(self.work, name, weight)

    def _test(self, name: str) -> DataConfig:
        return test_data(self.work, name)


NAMES: dict[str, Callable[[Tables], Table]] = {
    "dss": Tables.dss,
    "phases": Tables.phases,
    "imbalance": Tables.imbalance,
    "unseen": Tables.unseen,
    "unified": Tables.unified,
    "batch": Tables.batch,
    "smoothing": Tables.smoothing,
}
