from types import SimpleNamespace

from geosleuth.training.gleam_c.claims.cell import Cell, runs_of
from geosleuth.training.gleam_c.claims.page import replaced, section
from geosleuth.training.gleam_c.claims.tables import NAMES, SEEDS, Table, Tables
from geosleuth.training.gleam_c.claims.world import STEPS, run_config
from geosleuth.training.gleam_c.config import DataConfig


def measures(recall):
    overall = SimpleNamespace(
        recall={1: recall}, recall_1_percent=2 * recall, chance={1: 0.01}, chance_curve=(0.01, 0.02), one_percent=2
    )
    return SimpleNamespace(overall=overall)


def cell(arm, seed):
    data = (DataConfig(set="vigor", root="r", split="same-train"),)
    return Cell("t", arm, seed, (run_config("x", data, steps=10, seed=seed),), ())


def test_a_table_has_mean_and_standard_deviation_of_its_seeds():
    cells = (cell("this", 1), cell("this", 2), cell("that", 1), cell("that", 2))
    recalls = dict(zip(cells, (0.1, 0.3, 0.5, 0.5), strict=True))
    table = Table("Title", "Question?", cells, ("panorama",))
    text = section("name", table, {one: [measures(recalls[one])] for one in cells}, "then")
    assert "| chance | 1.0 (2.0) | | |" in text
    assert "| this | 20.0 ± 14.1 (40.0 ± 28.3) | 10 | 640 |" in text  # of 10 and 30
    assert "| that | 50.0 ± 0.0 (100.0 ± 0.0) | 10 | 640 |" in text
    assert "synthetic" in text


def test_a_page_keeps_what_is_not_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Head\n\nWords.\n")
    replaced(page, "a", "one\n")
    replaced(page, "b", "two\n")
    replaced(page, "a", r"three \1" + "\n")
    assert page.read_text() == (
        "# Head\n\nWords.\n\n<!-- a -->\nthree \\1\n<!-- /a -->\n\n<!-- b -->\ntwo\n<!-- /b -->\n"
    )


def test_what_several_tables_share_is_trained_once(tmp_path):
    tables = [Tables(tmp_path).named(name) for name in NAMES]
    cells = [one for table in tables for one in table.cells]
    chains = runs_of(cells)
    assert len(chains) < sum(len(one.chain) for one in cells)
    # "VIGOR, then merged" of (b) is what (d) goes on from.
    phases = [one.chain for one in tables[1].cells if one.arm == "VIGOR, then merged"]
    assert len(phases) == len(SEEDS)
    assert all(one.chain[:2] in phases for one in tables[3].cells)


def test_arms_that_are_compared_take_as_many_steps(tmp_path):
    for name in ("dss", "phases", "imbalance", "smoothing"):
        table = Tables(tmp_path).named(name)
        assert {one.steps for one in table.cells if one.chain} == {STEPS}
    batch = Tables(tmp_path).named("batch")
    assert len({one.pairs for one in batch.cells}) == 1
