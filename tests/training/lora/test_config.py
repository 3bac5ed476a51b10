from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.lora.config import AdapterConfig, read_config

CONFIGS = Path(__file__).parents[3] / "training" / "lora" / "configs"
SMALL = 'name = "t"\nbase = "dir:base"\n[[stages]]\nname = "a"\n'


def test_what_is_not_said_is_the_papers():
    config = AdapterConfig(name="t", base="hf:a/b", stages=({"name": "a"},))
    stage, machine = config.stages[0], config.machine
    assert (stage.epochs, stage.learning_rate, stage.schedule, stage.warmup_ratio) == (5, 1e-5, "cosine", 0.01)
    assert (stage.weight_decay, stage.adam_beta2, config.max_length) == (0.1, 0.95, 2048)
    assert (machine.batch_size, machine.accumulation, machine.gradient_checkpointing) == (10, 8, True)
    assert (stage.lora.r, stage.lora.alpha, stage.lora.dropout, stage.lora.vision) == (64, 16, 0.05, False)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_settings_that_ship_take_eighty_lessons_a_step(path):
    config = read_config(path)
    assert config.machine.batch_size * config.machine.accumulation == 80
    names = [stage.name for stage in config.stages]
    assert names == (["reasoning", "location"] if "georeasoner" in path.name else ["verdicts"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALL + "epoch = 3\n", "stages.0.epoch: Extra inputs"),
        (SMALL + "[machine]\nbatch_size = 0\n", "machine.batch_size"),
        (SMALL.replace('"a"', '"../a"'), "lower-case letters"),
        (SMALL.replace('"a"', '"training"'), "not 'training'"),
        (SMALL + '[[stages]]\nname = "a"\n', "two stages of one name"),
        (SMALL.replace("dir:base", "openai:m@http://x"), "no hf:ORG/NAME or dir:PATH"),
        (SMALL.replace("dir:base", "dir:a+dir:b"), "adapters go into adapters_before"),
        ('name = "t"\nbase = "dir:b"\nstages = []\n', "no stages"),
        ("name = ", "a TOML file of settings"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, said):
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_config(path)


def test_a_misspelt_setting_is_one_error(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(SMALL + "epoch = 3\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_config(path)
    assert refused.value.found == "stages.0.epoch: Extra inputs are not permitted (given 3)"


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="training/lora/configs"):
        read_config(tmp_path / "none.toml")
