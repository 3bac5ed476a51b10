"""What the load benchmarks measure with: memory over time, drawn photos, and the words about what they saw."""

import os
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "robustness"))
try:
    import drawn_photos
    import load_chat
    import load_index
    import memory_watch
    from chat_visit import Visit
finally:
    sys.path.pop(0)

from geosleuth.indexes.photo import load_photo

MB = memory_watch.MB
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read in /proc, which is Linux's")


def test_memory_that_only_loads_at_the_start_is_flat_and_a_leak_is_not():
    loading = [(float(n), 100 * MB if n < 20 else 600 * MB) for n in range(100)]
    assert memory_watch.growth_bytes(loading) == 0
    assert memory_watch.is_flat(loading)
    leak = [(float(n), (500 + n) * MB) for n in range(100)]  # from 550 MB in the middle to 590 MB in the end
    assert memory_watch.growth_bytes(leak) == 40 * MB
    assert not memory_watch.is_flat(leak)
    assert "Peak 599 MB; from the middle fifth to the last: +40 MB: NOT FLAT (limit 5%)." in memory_watch.memory_table(
        leak
    )
    assert not memory_watch.is_flat([])
    assert "too short a run to tell" in memory_watch.memory_table(leak[:99])


@linux
def test_the_memory_of_this_process_is_seen_to_grow():
    before = memory_watch.held_bytes(os.getpid(), with_children=False)
    held = np.ones(8_000_000)  # 64 MB, written
    grown = memory_watch.held_bytes(os.getpid()) - before
    assert grown > 50 * MB
    assert held.sum() == 8_000_000
    assert memory_watch.held_bytes(2**22 + 1) == 0  # above the kernel's largest process number


@linux
def test_the_watch_samples_while_it_is_open():
    with memory_watch.MemoryWatch(os.getpid(), every_s=0.01) as watch:
        while len(watch.samples) < 3:
            time.sleep(0.01)
    assert all(held > 10 * MB for _, held in watch.samples)


def test_drawn_photos_can_be_read_and_no_two_are_alike():
    photos = list(drawn_photos.drawn(14, (64, 48)))
    assert [name for name, _ in photos[:2]] == ["street-00000.jpg", "street-00001.jpg"]
    opened = [load_photo(content) for _, content in photos]
    assert {photo.size for photo in opened} == {(64, 48)}
    assert len({photo.sha256 for photo in opened}) == 14
    assert (opened[0].pixels == opened[12].pixels).all()  # the thirteenth is the first with another comment


def test_the_table_of_visits_says_what_did_not_go_well():
    visits = [Visit("answered", 1.0, seconds, before) for seconds, before in ((2.0, 0), (4.0, 1), (9.0, 2))]
    visits += [
        Visit("refused: the queue is full", 3.0),
        Visit("no connection: OSError"),
        Visit("no connection: OSError"),
    ]
    table = load_chat.visits_table(visits, 6, 1)
    for line in (
        "| questions that were answered | 3 |",
        "| refused: the queue is full | 1 |",
        "| no connection: OSError | 2 |",
        "| pages that opened | 4 of 6 |",
        "| page open: median, longest | 1.0 s, 3.0 s |",  # 1, 1, 1 and 3; two that never opened are none of 0.0 s
        "| most before one in the queue | 2 |",
        "| answer after: shortest, median, 95 %, longest | 2.0, 4.0, 9.0, 9.0 s |",
    ):
        assert line in table


def test_where_no_page_opened_no_time_is_told():
    table = load_chat.visits_table([Visit("no connection: TimeoutError")] * 3, 3, 1)
    assert "| pages that opened | 0 of 3 |" in table
    assert "page open" not in table
    assert "0.0" not in table


@pytest.mark.parametrize(
    ("wrong", "said"), [({}, "| wrong | 0 |"), ({"KeyError: x": 2}, "| wrong | 2 x KeyError: x |")]
)
def test_the_table_of_readers_says_what_went_wrong(wrong, said):
    seen = load_index.Seen(searches=10, opened=3, sizes=[8, 16, 8], wrong=Counter(wrong))
    table = load_index._table(seen, 24, 2, 2, 24, 9.0)
    assert said in table
    assert "| sizes that readers saw | 8, 16 |" in table
