"""The invented towns that the claims are tried on, and the settings that all runs share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geosleuth.training.gleam_c.config import (
    AugmentConfig,
    DataConfig,
    GleamCConfig,
    InputConfig,
    LossConfig,
    MachineConfig,
    ModelConfig,
    OptimiserConfig,
    SamplingConfig,
)
from geosleuth.training.towns.write import write_towns

# 0.31 M parameters. Of the small networks of timm that were tried without batch norm (which would mix the statistics of
# two views) the one that learns most in a minute: after 608 steps at 2e-3 its recall@1% of panoramas was 13.8 (chance
# 0.9); ConvNeXt's test_convnext2, whose steps take twice as long, had 7.8 after 400 at 1e-3.
BACKBONE = "timm:test_vit"
SATELLITE_PX, PANORAMA_PX = 64, (48, 128)
LAYOUTS = ("vigor", "university1652", "setvl", "map", "night")
TOWNS, PLACES = 32, 160  # to train on: some 5,000 panoramas, and as many other pictures of each kind
UNSEEN_TOWNS, UNSEEN_PLACES = 10, 80  # of another world, to test on: no two worlds share a town
BATCH = 64
STEPS = 900  # of a whole chain, unless a table says otherwise


@dataclass(frozen=True, slots=True)
class Source:
    """Where the towns keep a modality."""

    set: str  # a name of datasets/open.py
    train: tuple[str, ...]  # splits
    test: str


MODALITIES = {
    "panorama": Source("vigor", ("cross-train", "cross-test"), "cross-test"),
    "drone": Source("university1652", ("train",), "drone-to-satellite"),
    "ground": Source("setvl", ("train",), "test"),
    "map": Source("map", ("train",), "test"),
    "night": Source("night", ("train",), "test"),
}


def training_data(work: Path, name: str, weight: float) -> tuple[DataConfig, ...]:
    """Return a modality of the towns to train on; its splits share the weight."""
    one = MODALITIES[name]
    share = weight / len(one.train)
    return tuple(
        DataConfig(set=one.set, root=work / "towns" / one.set, split=split, weight=share) for split in one.train
    )


def test_data(work: Path, name: str) -> DataConfig:
    """Return a modality of the towns to test on."""
    one = MODALITIES[name]
    return DataConfig(set=one.set, root=work / "unseen" / one.set, split=one.test)


def run_config(
    name: str,
    data: tuple[DataConfig, ...],
    *,
    steps: int,
    seed: int,
    batch: int = BATCH,
    lr: float = 2e-3,
    gps: bool = True,
    dss: bool = True,
    smoothing: float = 0.1,
    weights: str = "none",
) -> GleamCConfig:
    """Return the settings of a run of so many steps on these data sets."""
    square = (SATELLITE_PX, SATELLITE_PX)
    return GleamCConfig(
        name=name,
        epochs=1000,  # `max_steps` ends the run
        max_steps=steps,
        batch_size=batch,
        seed=seed,
        checkpoint_minutes=60.0,
        model=ModelConfig(backbone=BACKBONE, weights=weights),
        input=InputConfig(ground=square, panorama=PANORAMA_PX, drone=square, satellite=square, map=square),
        data=data,
        augment=AugmentConfig(jpeg=0.0, dropout=0.1),  # pictures of 64 px have been through JPEG once already
        # Neighbours in proportion to the places: the real sets have 70 times as many of both.
        sampling=SamplingConfig(gps_neighbours=gps, dss=dss, neighbours=48, select=24, refresh_epochs=1),
        optimiser=OptimiserConfig(lr=lr, warmup_epochs=50),  # a twentieth of the run
        loss=LossConfig(label_smoothing=smoothing),
        machine=MachineConfig(amp="off", workers=0, threads=1),
    )


def draw_towns(work: Path, processes: int) -> None:
    """Draw the towns of the claims into `work`, or find them there: `towns` to train on, `unseen` to test on."""
    for name, seed, towns, places in (("towns", 0, TOWNS, PLACES), ("unseen", 1, UNSEEN_TOWNS, UNSEEN_PLACES)):
        write_towns(
            work / name,
            layouts=LAYOUTS,
            towns=towns,
            places=places,
            seed=seed,
            difficulty=0.0,  # what is hard for millions of parameters and days is out of reach here
            satellite_px=SATELLITE_PX,
            panorama_px=PANORAMA_PX,
            drone_px=SATELLITE_PX,
            street_px=(SATELLITE_PX, SATELLITE_PX),
            drone_views=1,
            street_views=1,
            queries=2,
            labels=False,
            processes=processes,
        )
