import pytest

from geosleuth.training.gleam_c.schedule import learning_rate


@pytest.mark.parametrize(
    ("progress", "expected"), [(0.0, 0.0), (0.05, 0.5), (0.1, 1.0), (0.55, 0.5), (1.0, 0.0), (1.2, 0.0)]
)
def test_it_warms_up_in_a_line_and_falls_as_a_cosine(progress, expected):
    assert learning_rate(progress, peak=1.0, warmup=0.1) == pytest.approx(expected, abs=1e-12)


def test_without_a_warm_up_it_begins_at_its_peak():
    assert learning_rate(0.0, peak=2.0, warmup=0.0) == 2.0
