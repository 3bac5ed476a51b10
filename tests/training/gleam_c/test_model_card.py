from geosleuth.training.gleam_c.checkpoint import Counters
from geosleuth.training.gleam_c.config import DataConfig, GleamCConfig
from geosleuth.training.gleam_c.model_card import model_card


def config(root):
    data = (DataConfig(set="vigor", root=root, split="same-train"),)
    return GleamCConfig(name="GLEAM-C phase 1", epochs=1, data=data)


def test_the_card_says_what_it_was_made_of_and_that_nothing_was_measured(tmp_path):
    card = model_card(config(tmp_path), Counters(total_steps=1234), ["VIGOR same-train: 52,609 queries"], [])
    assert card.startswith("# GLEAM-C phase 1\n")
    assert "1,234 steps of 128 pairs" in card
    assert "- VIGOR same-train: 52,609 queries" in card
    assert "Not measured" in card
    assert "synthetic" not in card


def test_what_was_trained_on_towns_says_so(tmp_path):
    (tmp_path / "towns.json").write_text("{}")
    assert "invented towns (synthetic)" in model_card(config(tmp_path / "vigor"), Counters(), [], [])
