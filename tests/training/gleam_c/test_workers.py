"""What signals do to the processes that decode pictures."""

import os
import signal
import subprocess
import sys
import time

import pytest

torch = pytest.importorskip("torch")

from geosleuth.training.gleam_c.workers import loaded  # noqa: E402

BATCHES = [[number] for number in range(60)]


class Slow:
    """Items that take a while, as pictures do."""

    def __getitem__(self, key):
        time.sleep(0.02)
        return key


def train():
    """A training process: TERM is noted, and the batches go on; then it ends with a loader that nobody closed."""
    noted = []
    signal.signal(signal.SIGTERM, lambda *_: noted.append("TERM"))
    seen = []
    for number in loaded(Slow(), BATCHES, 2, lambda items: items[0]):
        if not seen:
            print("started", flush=True)
        seen.append(number)
    print(len(seen), seen == list(range(60)), noted, flush=True)
    global left
    left = loaded(Slow(), BATCHES, 2, lambda items: items[0])
    next(left)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals to groups of processes are POSIX's")
def test_workers_outlive_a_signal_to_all_processes_and_end_with_their_parent():
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        assert process.stdout.readline() == "started\n"
        os.killpg(process.pid, signal.SIGTERM)
        said, errors = process.communicate(timeout=120)
        assert said == "60 True ['TERM']\n", errors
        assert process.returncode == 0, errors
        with pytest.raises(ProcessLookupError):  # none of the group is left
            os.killpg(process.pid, 0)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("workers", [0, 1])
def test_the_batches_come_in_order_and_an_error_in_a_worker_is_the_callers(workers):
    assert list(loaded([10, 20, 30], [[2, 0], [1]], workers, sum)) == [40, 20]
    with pytest.raises(IndexError):
        list(loaded([10], [[5]], workers, sum))


if __name__ == "__main__":
    train()
