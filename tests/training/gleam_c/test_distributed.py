import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from geosleuth.training.gleam_c.distributed import Processes, processes, share, share_lengths  # noqa: E402


@given(st.integers(0, 1000), st.integers(1, 9))
def test_the_shares_are_the_whole_in_order_and_nearly_equal(total, count):
    group = [Processes(rank, count, torch.device("cpu")) for rank in range(count)]
    rows = [list(range(total))[share(total, one)] for one in group]
    assert [row for part in rows for row in part] == list(range(total))
    assert [len(part) for part in rows] == share_lengths(total, group[0])
    assert max(map(len, rows)) - min(map(len, rows)) <= 1


def test_alone_everything_is_ones_own(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    rows = np.eye(3, dtype=np.float32)
    with processes() as group:
        assert (group.rank, group.count, group.is_first) == (0, 1, True)
        assert group.to_first(rows, [3]) is rows
        assert group.from_first(rows, rows.shape, "float32") is rows
        assert group.agree(True)
        assert not group.agree(False)
        group.wait()
