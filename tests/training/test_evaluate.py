"""Labels, scores and fits, on cases small enough to do by hand."""

from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.tools.evidence import Evidence, OverRegions
from geosleuth.training.evaluate.embedded import embedded_table
from geosleuth.training.evaluate.labelled import LabelledPhoto, read_labels
from geosleuth.training.evaluate.observed import Observed
from geosleuth.training.evaluate.scores import interval


def observed(name: str, lat: float, lon: float, country: str, said: str, kind: str = "test.sure") -> Observed:
    clue = Evidence(tool="test", type=kind, claim=said, likelihood=OverRegions(log_ratios={said: 4.0}))
    return Observed(LabelledPhoto(Path(name), LatLon(lat, lon), country), (), (100, 100), (clue,))


LISBON, BERLIN, TOKYO, LIMA = (
    (38.72, -9.14, "PT"),
    (52.52, 13.40, "DE"),
    (35.68, 139.69, "JP"),
    (-12.05, -77.04, "PE"),
)


def test_labels_are_read_and_controls_left_out(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("file,lat,lon,country\na.jpg,38.72,-9.14,PT\nb.jpg,,,\n")
    assert read_labels(labels, tmp_path) == [LabelledPhoto(tmp_path / "a.jpg", LatLon(38.72, -9.14), "PT")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("name,lat,lon\na,1,2\n", "columns file"), ("file,lat,lon,country\na,north,2,PT\n", "lat and lon in degrees")],
)
def test_bad_labels_say_what_is_wrong(tmp_path: Path, text: str, wanted: str) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(text)
    with pytest.raises(InputError, match=wanted):
        read_labels(labels, tmp_path)
    with pytest.raises(InputError, match="a table in UTF-8"):
        read_labels(tmp_path / "none.csv", tmp_path)


def test_bootstrap_interval_of_a_share() -> None:
    # 36 of 100: the normal approximation gives 0.36 +- 1.96 sqrt(0.36 * 0.64 / 100) = [0.266, 0.454].
    low, high = interval([1.0] * 36 + [0.0] * 64)
    assert (low, high) == pytest.approx((0.266, 0.454), abs=0.02)


def test_table_counts_answers_and_errors() -> None:
    cases = [observed("a", *LISBON, said="PT"), observed("b", *BERLIN, said="DE"), observed("c", *TOKYO, said="BR")]
    strong = [
        Observed(
            seen.photo,
            (),
            seen.size,
            tuple(e.model_copy(update={"likelihood": OverRegions(log_ratios={e.claim: 9.0})}) for e in seen.evidence),
        )
        for seen in cases
    ]
    text = embedded_table(strong, "three made-up cases")
    assert "three made-up cases" in text
    assert "| photos | 3 |" in text
    assert "| answered `localized` | 3 (100.0 %" in text
    assert "| country right, of those | 2 (66.7 %" in text
