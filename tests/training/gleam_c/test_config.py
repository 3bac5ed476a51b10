from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c import config as module
from geosleuth.training.gleam_c.config import read_config

CONFIGS = Path(module.__file__).parent / "configs"
LEAST = 'name = "x"\nepochs = 1\n[[data]]\nset = "vigor"\nroot = "r"\nsplit = "same-train"\n'


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_what_ships_can_be_read(path):
    assert read_config(path).name.startswith("GLEAM-C ")


def test_phase_2_goes_on_from_phase_1_with_the_same_network():
    one, two = (read_config(CONFIGS / f"phase-{n}.toml") for n in (1, 2))
    assert one.model.backbone == two.model.backbone
    assert two.model.weights == "dir:runs/phase-1"
    assert {data.set for data in one.data} == {"vigor"}
    assert {data.set for data in two.data} == {"vigor", "university1652", "setvl", "map"}


def test_the_defaults_are_sample4geos(tmp_path):
    (tmp_path / "c.toml").write_text(LEAST)
    config = read_config(tmp_path / "c.toml")
    assert (config.batch_size, config.optimiser.lr, config.loss.label_smoothing) == (128, 1e-3, 0.1)
    assert (config.sampling.neighbours, config.sampling.select, config.sampling.refresh_epochs) == (128, 64, 4)
    assert config.input.sizes()["panorama"] == (384, 768)
    assert config.input.sizes()["satellite"] == (384, 384)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (LEAST + "[optimizer]\nlr = 1\n", "optimizer"),
        (LEAST.replace("epochs = 1", "epochs = 0"), "epochs"),
        (LEAST + "[sampling]\nneighbours = 8\nselect = 9\n", "select exceeds"),
        ('name = "x"\nepochs = 1\n', "data"),
        ("name = ", "none"),
        ("\xff", "none"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, found):
    (tmp_path / "c.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError) as error:
        read_config(tmp_path / "c.toml")
    assert found in error.value.found
    assert str(tmp_path / "c.toml") in error.value.wanted


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_config(tmp_path / "none.toml")
