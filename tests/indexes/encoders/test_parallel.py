import threading

from geosleuth.indexes.encoders.parallel import core_count, in_order


def test_results_keep_their_order_and_few_run_ahead():
    started, lock = [], threading.Lock()

    def work(number):
        with lock:
            started.append(number)
        return number * number

    results = in_order(work, iter(range(1000)))
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert len(started) <= 3 + 2 * core_count()
    assert list(results) == [number * number for number in range(3, 1000)]
