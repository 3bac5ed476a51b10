import os
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch import distributed  # noqa: E402

from geosleuth.training.gleam_c import distributed as ours  # noqa: E402
from geosleuth.training.gleam_c.distributed import Processes, processes, share, share_lengths  # noqa: E402

WHOLE = np.arange(7 * 3, dtype=np.float32).reshape(7, 3)  # shares of 3 and 4 rows


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


def everything(rank, store):
    """What a process gets: of rows in chunks of 2, of one flag per row, of rows that one process has none of."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=2, timeout=timedelta(seconds=120)
    )
    ours._CHUNK_BYTES = 2 * 3 * 4
    try:
        group = Processes(rank, 2, torch.device("cpu"))
        mine, lengths = share(7, group), share_lengths(7, group)
        flags = (np.arange(7) % 2).astype(np.uint8)
        return (
            group.to_first(WHOLE[mine], lengths),
            group.to_first(flags[mine], lengths),
            group.to_first(WHOLE[share(1, group)], share_lengths(1, group)),
        )
    finally:
        distributed.destroy_process_group()


def test_the_first_of_two_processes_gets_all_rows_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(ours, "_CHUNK_BYTES", ours._CHUNK_BYTES)  # put back afterwards
    threads = torch.get_num_threads()
    store = tmp_path / "store"
    other = subprocess.Popen([sys.executable, __file__, str(store)], env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        rows, flags, one = everything(0, store)
        assert other.wait(120) == 0  # it asserts that it got nothing
    finally:
        other.kill()
        other.wait()
        torch.set_num_threads(threads)
    assert np.array_equal(rows, WHOLE)
    assert rows.dtype == np.float32
    assert flags.tolist() == [0, 1, 0, 1, 0, 1, 0]
    assert flags.dtype == np.uint8
    assert np.array_equal(one, WHOLE[:1])


if __name__ == "__main__":
    assert everything(1, sys.argv[1]) == (None, None, None)
