import json

import numpy as np
import pytest
from pydantic import ValidationError

from geosleuth.indexes.encoders.encoder_folder import BACKBONE_FILE, EncoderFacts, read_facts, write_encoder
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.errors import InputError

pytest.importorskip("safetensors")
PICTURE = np.random.default_rng(5).integers(0, 255, (120, 200, 3), np.uint8)


@pytest.fixture
def gem_folder(tmp_path):
    folder = tmp_path / "gem"
    write_encoder(folder, backbone="embedded", aggregation="gem", gem_power=3.0, dimension=320)
    return folder


def test_gem_of_power_three_on_the_embedded_network_is_the_embedded_encoder(gem_folder):
    encoder, embedded = load_encoder(f"dir:{gem_folder}"), load_encoder("embedded")
    prepared = embedded.prepare(PICTURE)
    assert encoder.spec == f"dir:{gem_folder}"
    assert np.array_equal(encoder.encode([prepared]), embedded.encode([prepared]))


def test_a_folder_that_is_written_anew_is_loaded_anew(gem_folder):
    before = load_encoder(f"dir:{gem_folder}")
    facts = json.loads((gem_folder / "encoder.json").read_text())
    (gem_folder / "encoder.json").write_text(json.dumps({**facts, "gem_power": 5.0}))
    after = load_encoder(f"dir:{gem_folder}")
    assert before.weights_sha256 != after.weights_sha256
    assert not np.allclose(before.encode([before.prepare(PICTURE)]), after.encode([after.prepare(PICTURE)]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dimension": 100}, "vectors of 100 numbers by gem; found features of 320"),
        ({"backbone_sha256": "0" * 64}, "another one (its weights have changed)"),
        ({"gem_power": None}, "gem_power belongs to the aggregation gem"),
        ({"surprise": 1}, "surprise"),
        ({"backbone": "file:x.csv"}, "the role retrieval accepts"),
    ],
)
def test_facts_that_do_not_fit_are_refused(gem_folder, change, message):
    facts = json.loads((gem_folder / "encoder.json").read_text())
    (gem_folder / "encoder.json").write_text(json.dumps({**facts, **change}))
    with pytest.raises(InputError) as error:
        load_encoder(f"dir:{gem_folder}")
    assert message in str(error.value)


def test_a_flipped_bit_names_the_file(tmp_path):
    folder = tmp_path / "x"
    write_encoder(
        folder,
        backbone="timm:test_convnext",
        aggregation="own",
        dimension=64,
        backbone_weights={"weight": np.arange(8, dtype=np.float32)},
        input_px={"ground": (64, 64)},
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )
    assert read_facts(folder).input_px == {"ground": (64, 64)}
    content = bytearray((folder / BACKBONE_FILE).read_bytes())
    content[-1] ^= 1
    (folder / BACKBONE_FILE).write_bytes(content)
    with pytest.raises(InputError, match=r"backbone\.safetensors .*it is damaged"):
        load_encoder(f"dir:{folder}")
    (folder / BACKBONE_FILE).unlink()
    with pytest.raises(InputError, match="no such file"):
        load_encoder(f"dir:{folder}")


def test_nothing_is_overwritten_and_nothing_half_written_stays(tmp_path, gem_folder):
    with pytest.raises(InputError, match="new or empty folder"):
        write_encoder(gem_folder, backbone="embedded", aggregation="gem", gem_power=3.0, dimension=320)
    with pytest.raises(ValidationError):
        write_encoder(tmp_path / "bad", backbone="embedded", aggregation="gem", dimension=320)
    assert [path.name for path in tmp_path.iterdir()] == ["gem"]


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="neither of them in it"):
        load_encoder(f"dir:{tmp_path}")
    with pytest.raises(InputError, match="no such folder"):
        load_encoder(f"dir:{tmp_path / 'missing'}")


def test_a_run_of_training_is_named_as_its_encoder_is(tmp_path):
    run = tmp_path / "run"
    write_encoder(run / "encoder", backbone="embedded", aggregation="gem", gem_power=3.0, dimension=320)
    (run / "config.json").write_text("{}")  # a run has one, as models of transformers do
    by_run, by_folder = load_encoder(f"dir:{run}"), load_encoder(f"dir:{run / 'encoder'}")
    assert by_run.spec == f"dir:{run}"
    assert by_run.weights_sha256 == by_folder.weights_sha256
    facts = json.loads((run / "encoder" / "encoder.json").read_text())
    (run / "encoder" / "encoder.json").write_text(json.dumps({**facts, "gem_power": 5.0}))
    assert load_encoder(f"dir:{run}").weights_sha256 != by_run.weights_sha256


TOWER = {"model_type": "vit", "hidden_size": 32}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbone_config": None}, "backbone_config belongs to the backbone transformers"),
        ({"backbone": "timm:test_vit"}, "backbone_config belongs to the backbone transformers"),
        ({"backbone_config": {"hidden_size": 32}}, "backbone_config needs a model_type"),
        ({"backbone_config": TOWER | {"auto_map": {"AutoModel": "x.py"}}}, "must not hold auto_map"),
        (
            {"backbone_config": TOWER | {"vision": {"_attn_implementation": "x/y"}}},
            "must not hold _attn_implementation",
        ),
        ({"backbone_config": TOWER | {"parts": [{"attn_implementation": "x/y"}]}}, "must not hold attn_implementation"),
        ({"weights": {}}, "the backbone transformers needs backbone.safetensors"),
    ],
)
def test_a_configuration_of_transformers_that_fetches_or_runs_code_is_refused(change, message):
    facts = {
        "backbone": "transformers",
        "backbone_config": TOWER,
        "aggregation": "own",
        "dimension": 32,
        "input_px": {"ground": (32, 32)},
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
        "weights": {"backbone.safetensors": "0" * 64},
    }
    EncoderFacts.model_validate(facts)
    with pytest.raises(ValidationError, match=message):
        EncoderFacts.model_validate({**facts, **change})
