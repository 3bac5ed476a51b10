"""Tables by numbers that were worked out by hand, and how trainings are named."""

from pathlib import Path

import pytest

from geosleuth.training.adapter_claims.page import table
from geosleuth.training.adapter_claims.run import BATCH, Run

BELOW = Run("reasoning", "reasoned", 150, 1)
ABOVE = Run("location", "located above 0.4", 450, 1, BELOW)


def test_a_table_has_mean_and_deviation_over_seeds_and_dashes():
    rows = {
        "floor": [{"accuracy": 0.5}],
        "taught": [
            {"accuracy": 50.0, "km": 1000.0},
            {"accuracy": 60.0, "km": 3000.0},
            {"accuracy": 70.0, "km": 2000.0},
        ],
        "unlucky": [{"accuracy": 1.0, "km": 5.0}, {"accuracy": 2.0}],  # one of two seeds has no distance
    }
    said = table(rows, {"floor": {"lessons": "0"}, "taught": {"lessons": "14,400"}})
    # 50, 60, 70: 60 and sqrt(200 / 2); 1, 2: 1.5 and sqrt(.5 / 1), below 2 with two digits; thousands with none.
    assert said == (
        "| | accuracy | km | lessons |\n"
        "|---|---|---|---|\n"
        "| floor | 0.50 | - | 0 |\n"
        "| taught | 60.0 ± 10.0 | 2,000 ± 1,000 | 14,400 |\n"
        "| unlucky | 1.50 ± 0.71 | - |  |\n"
    )


def test_a_table_without_more_columns_keeps_the_order_of_its_figures():
    said = table({"a": [{"x": -3.0}], "b": [{"y": 1234.5, "x": float("nan")}]}, {})
    assert said.splitlines() == ["| | x | y |", "|---|---|---|", "| a | -3.0 | - |", "| b | - | 1,234 |"]


def test_a_run_lies_on_what_was_before_it():
    assert BELOW.below == (BELOW,)
    assert ABOVE.below == (BELOW, ABOVE)
    assert ABOVE.lessons == 450 * BATCH


@pytest.mark.parametrize(
    "other",
    [
        Run("location", "located above 0.4", 450, 1),
        Run("location", "located above 0.4", 450, 1, Run("reasoning", "reasoned", 150, 2)),
        Run("location", "located above 0.4", 450, 1, Run("reasoning", "reasoned", 151, 1)),
        Run("location", "located above 0.2", 450, 1, BELOW),
        Run("location", "located above 0.4", 449, 1, BELOW),
        Run("location", "located above 0.4", 450, 2, BELOW),
    ],
)
def test_another_run_has_another_folder(other: Run):
    assert other.key() != ABOVE.key()


def test_a_run_s_folder_is_the_same_in_every_process_and_its_model_has_all_adapters():
    again = Run("location", "located above 0.4", 450, 1, Run("reasoning", "reasoned", 150, 1))
    assert again.key() == ABOVE.key()
    assert len(ABOVE.key()) == 16
    lower, upper = (run.folder(Path("runs")) for run in (BELOW, ABOVE))
    assert upper == Path("runs") / ABOVE.key()
    assert ABOVE.spec(Path("base"), Path("runs")) == f"dir:base+dir:{lower / 'reasoning'}+dir:{upper / 'location'}"
    assert BELOW.spec(Path("base"), Path("runs")) == f"dir:base+dir:{lower / 'reasoning'}"
