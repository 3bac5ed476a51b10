"""The published weights are those of the paper's repository, and a table that a person wrote is checked."""

from pathlib import Path

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.ade20k import class_name
from geosleuth.tools.class_weights import published_weights, read_weights, weights_text

# As facts of the field have them, rounded (some of them twice) to 3 decimals.
PUBLISHED = {
    6: 1.000, 42: 0.567, 52: 0.543, 43: 0.491, 136: 0.486, 87: 0.476, 11: 0.453, 94: 0.425, 93: 0.331, 38: 0.318,
    95: 0.314, 149: 0.281, 20: 0.265, 13: 0.253, 32: 0.253, 91: 0.239, 72: 0.230, 1: 0.228, 68: 0.223, 16: 0.212,
    142: 0.203, 34: 0.199, 100: 0.198, 4: 0.196, 79: 0.191, 25: 0.176, 2: 0.168, 60: 0.160, 29: 0.153, 9: 0.149,
    46: 0.145, 54: 0.138, 26: 0.129, 80: 0.112, 83: 0.110, 0: 0.109, 17: 0.107,
}  # fmt: skip


def test_the_published_weights_sum_up_and_lie_where_the_paper_has_them() -> None:
    weights = published_weights()
    assert weights.shape == (150,)
    assert weights.sum() == pytest.approx(13.684, abs=5e-4)
    assert (weights.min(), weights.max()) == (0.0, 1.0)
    for index, weight in PUBLISHED.items():
        assert weights[index] == pytest.approx(weight, abs=6e-4), class_name(index)
    assert set(np.argsort(-weights)[:10]) == {6, 42, 52, 43, 136, 87, 11, 94, 93, 38}


def test_nobody_changes_them_for_all_others() -> None:
    with pytest.raises(ValueError, match="read-only"):
        published_weights()[0] = 1.0


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    weights = np.linspace(0, 1, 150)
    path = tmp_path / "weights.tsv"
    path.write_text(weights_text(weights, ["made for a test"]), encoding="utf-8")
    assert path.read_text(encoding="utf-8").startswith(
        "# made for a test\nindex\tlabel\tweight\n0\twall\t0.000000000\n"
    )
    assert read_weights(path) == pytest.approx(weights, abs=1e-9)


def test_rows_in_another_order_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    heading, *rows = weights_text(published_weights()).splitlines()
    path = tmp_path / "weights.tsv"
    path.write_text("\ufeff" + "\r\n".join([heading, *reversed(rows)]), encoding="utf-8")
    assert (read_weights(path) == published_weights()).all()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("index\tlabel\tweight", "label\tweight", "heading"),
        ("6\troad\t1.000000000\n", "", "149; the first that is missing is 6 .road."),
        ("6\troad\t1.000000000\n", "6\troad\t1\n6\troad\t1\n", "class 6 twice"),
        ("6\troad\t", "6\tsidewalk\t", "'sidewalk' where 'road' belongs"),
        ("6\troad\t1.0", "6\troad\t1.5", "1.500000000"),
        ("6\troad\t1.000000000", "6\troad\tnan", "found nan"),
        ("6\troad\t1.000000000", "6\troad\t-0.1", "found -0.1"),
        ("6\troad\t1.000000000", "6\troad\tmuch", "much"),
        ("149\tflag", "150\tflag", "found 150"),
        ("6\troad\t1.000000000", "6\troad", "'6', 'road'"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, old: str, new: str, found: str) -> None:
    text = weights_text(published_weights())
    assert text.count(old) == 1
    path = tmp_path / "weights.tsv"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=found):
        read_weights(path)


def test_a_file_that_is_not_there_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"training\.locatability"):
        read_weights(tmp_path / "none.tsv")
    (tmp_path / "binary.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="none that can be read"):
        read_weights(tmp_path / "binary.tsv")
