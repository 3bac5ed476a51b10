"""Platt scaling: fits that can be checked by hand, what a ratio is worth, and where a calibration is looked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.match_calibration import (
    FILE_NAME,
    MatchCalibration,
    calibration_for,
    fit_calibration,
    load_calibration,
)

FACTS: dict[str, Any] = {"weights": "qwen 0123", "sample": "40 pairs", "date": "2026-11-21"}


def calibration(slope: float = 1.0, intercept: float = 0.0, matches: int = 300, others: int = 300) -> MatchCalibration:
    return MatchCalibration(slope=slope, intercept=intercept, matches=matches, others=others, **FACTS)


def test_two_answers_are_fitted_exactly() -> None:
    # Two logits and two parameters: the fit goes through both mean targets. 20 matches have the target 21/22, 20 others
    # 1/22. At +1 lie 16 matches and 4 others: (16 * 21 + 4 * 1) / (20 * 22) = 17/22; at -1 the mirror image, 5/22.
    logits = [1.0] * 20 + [-1.0] * 20
    labels = [True] * 16 + [False] * 4 + [True] * 4 + [False] * 16
    fitted = fit_calibration(logits, labels, **FACTS)
    assert fitted.probability(1.0) == pytest.approx(17 / 22, abs=1e-6)
    assert fitted.probability(-1.0) == pytest.approx(5 / 22, abs=1e-6)
    assert fitted.slope == pytest.approx(math.log(17 / 5), abs=1e-5)
    assert fitted.intercept == pytest.approx(0.0, abs=1e-6)
    assert (fitted.matches, fitted.others, fitted.weights) == (20, 20, "qwen 0123")


def test_a_lean_to_no_goes_into_the_intercept() -> None:
    logits = [1.0] * 20 + [-1.0] * 20
    labels = [True] * 16 + [False] * 4 + [True] * 4 + [False] * 16
    leaning = fit_calibration([x - 5.0 for x in logits], labels, **FACTS)
    assert leaning.slope == pytest.approx(math.log(17 / 5), abs=1e-4)
    assert leaning.intercept == pytest.approx(5.0 * math.log(17 / 5), abs=1e-3)
    assert leaning.probability(-4.0) == pytest.approx(17 / 22, abs=1e-5)  # the model itself says 0.02


def test_the_truth_is_found_again() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(-4.0, 3.0, 20000)
    labels = rng.random(20000) < 1.0 / (1.0 + np.exp(-(0.5 * logits + 1.5)))
    fitted = fit_calibration(logits.tolist(), labels.tolist(), **FACTS)
    assert fitted.slope == pytest.approx(0.5, abs=0.03)
    assert fitted.intercept == pytest.approx(1.5, abs=0.1)


def test_a_separable_sample_has_a_finite_slope() -> None:
    fitted = fit_calibration([-30.0, -2.0, 3.0, float("inf")], [False, False, True, True], **FACTS)
    # (2 + 1) / (2 + 2) is the target of the matches: no sample of four is believed more than that, about.
    assert 0.7 < fitted.probability(30.0) < 0.95
    assert 0.05 < fitted.probability(-30.0) < 0.3
    assert fitted.probability(float("inf")) == fitted.probability(30.0)


@pytest.mark.parametrize(
    ("logits", "labels", "found"),
    [
        ([1.0, 2.0], [True, True], "2 of one place and 0 of two"),
        ([], [], "0 of one place and 0 of two"),
        ([3.0, 2.0, -2.0, -3.0], [False, False, True, True], "a slope of -"),
    ],
)
def test_what_cannot_be_fitted_is_refused(logits: list[float], labels: list[bool], found: str) -> None:
    with pytest.raises(InputError, match=found):
        fit_calibration(logits, labels, **FACTS)


@pytest.mark.parametrize("slope", [50.0, 1e6, 1e308])
def test_a_steep_calibration_does_not_overflow(slope: float) -> None:
    steep = calibration(slope)
    assert [steep.probability(logit) for logit in (-30.0, 0.0, 30.0)] == [0.0, 0.5, 1.0]
    assert steep.log_ratio(30.0) == pytest.approx(math.log(100.0))  # 300 others, a third of them
    assert calibration(1.0).probability(-30.0) == pytest.approx(math.exp(-30.0), rel=1e-9)


def test_a_ratio_is_the_posterior_odds_over_the_samples() -> None:
    even = calibration(slope=1.0)
    assert even.log_ratio(2.0) == pytest.approx(2.0)  # odds e^2 over odds 1
    rare = calibration(slope=1.0, matches=300, others=2700)
    # Where one pair in ten is a match, odds of e^2 say more: 9 e^2.
    assert rare.log_ratio(2.0) == pytest.approx(2.0 + math.log(9.0))


def test_no_ratio_is_larger_than_its_sample_can_show() -> None:
    few = calibration(matches=30, others=60)
    assert few.log_ratio(25.0) == pytest.approx(math.log(20.0))  # of 60 others none may say yes, and 1 in 20 still do
    assert few.log_ratio(-25.0) == pytest.approx(-math.log(10.0))
    assert calibration(matches=2, others=2).log_ratio(25.0) == 0.0


@dataclass
class Model:
    spec: str
    weights: str = "qwen 0123"


def test_it_lies_beside_the_last_adapter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    for folder, slope in ((base, 2.0), (adapter, 3.0)):
        folder.mkdir()
        (folder / FILE_NAME).write_text(calibration(slope).model_dump_json(), encoding="utf-8")

    def slope_of(spec: str, weights: str = "qwen 0123") -> float | None:
        found = calibration_for(Model(spec, weights))  # type: ignore[arg-type]
        return found.slope if found else None

    assert slope_of(f"dir:{base}") == 2.0
    assert slope_of(f"dir:{base}+dir:{adapter}") == 3.0
    assert slope_of(f"hf:Qwen/Qwen2.5-VL-3B-Instruct+dir:{adapter}") == 3.0
    assert slope_of("hf:Qwen/Qwen2.5-VL-3B-Instruct") is None
    assert slope_of("openai:gleam-x@http://localhost:8000/v1") is None
    assert slope_of(f"dir:{tmp_path}") is None
    assert slope_of(f"dir:{base}", "qwen 4567") is None
    assert "was fitted with qwen 0123, not with qwen 4567: not used" in caplog.text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, "No such file"),
        ("[]", "the file: input should be an object"),
        (calibration().model_dump_json().replace('"slope":1.0', '"slope":-1.0'), "slope: input should be greater"),
        (calibration().model_dump_json().replace('"slope":1.0', '"slope":"NaN"'), "slope: "),
        (calibration().model_dump_json().replace('"slope":1.0', '"slope":1e999'), "slope: input should be a finite"),
        (calibration().model_dump_json().replace('"intercept":0.0', '"intercept":NaN'), "intercept: input should be"),
        (calibration().model_dump_json().replace('"intercept":0.0', '"intercept":-Infinity'), "intercept: input sho"),
        (calibration().model_dump_json().replace('"matches":300', '"matches":0'), "matches: "),
    ],
)
def test_a_damaged_calibration_is_refused(tmp_path: Path, text: str | None, found: str) -> None:
    path = tmp_path / FILE_NAME
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="Wanted a calibration of matches; found") as caught:
        load_calibration(path)
    assert found in str(caught.value)
