"""The targets of benchmarks/robustness/fuzz.py, on their seeds and on cuts of them: an answer or an InputError."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "robustness"))
try:
    import fuzz
    import fuzz_targets
finally:
    sys.path.pop(0)

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.store import open_index

LIGHT = ("exif", "xmp", "gps", "index", "planner", "georeasoner", "prior")


@pytest.mark.parametrize("name", LIGHT)
def test_seeds_and_their_cuts_end_in_an_answer_or_a_refusal(name):
    target = fuzz.TARGETS[name]
    seeds = [seed for seed in target.seeds() if len(seed) <= 8192]
    assert seeds
    outcomes = set()
    for seed in seeds:
        for data in (seed, seed[: len(seed) // 2], seed[:-1] + b"\xff", b"", seed[:1]):
            try:
                target.run(data)
                outcomes.add("answered")
            except InputError:
                outcomes.add("refused")
    assert "answered" in outcomes


def test_the_sound_forgeries_open_and_the_others_are_refused(tmp_path):
    seeds = list(fuzz.TARGETS["index"].seeds())
    assert len(seeds) == 4  # problems, references, vectors, and the manifest
    for i, seed in enumerate(seeds):
        folder = tmp_path / str(i)
        folder.mkdir()
        fuzz_targets.forge(folder, seed[:1], seed[1:])
        assert len(open_index(folder)) == 6
        if i:  # a cut file of problems opens: they are read when asked for
            fuzz_targets.forge(folder, seed[:1], seed[1:-40])
            with pytest.raises(InputError):
                open_index(folder)


def test_counts_outlive_whoever_counted(tmp_path):
    path = tmp_path / "counts"
    path.write_bytes(bytes(32))
    counts = fuzz.Counts(path)
    for place in (0, 0, 1, 3):
        counts.add(place)
    assert fuzz.Counts(path).read() == (2, 1, 0, 1)


def test_a_timeout_is_a_hang_and_any_other_end_is_a_death(tmp_path):
    result = fuzz.Result()
    fuzz._judge(result, 0, "#1 cov: 12 ft: 3\n#2 cov: 17 ft: 4", tmp_path / "log")
    fuzz._judge(result, 70, "ALARM\nERROR: libFuzzer: timeout after 20 seconds", tmp_path / "log")
    fuzz._judge(result, -11, "", tmp_path / "log")
    assert (result.hangs, result.deaths, result.coverage) == (1, 1, 17)


def test_what_raised_is_kept_once_and_can_be_run_again(tmp_path, monkeypatch):
    def fails(data):
        raise ZeroDivisionError(data)

    monkeypatch.setitem(fuzz.TARGETS, "exif", fuzz_targets.Fuzzed(fails, lambda: iter([b"x"])))
    for data in (b"one", b"two"):
        try:
            fails(data)
        except ZeroDivisionError as error:
            fuzz._keep(tmp_path, "exif", data, error)
    kept = [path for path in tmp_path.iterdir() if not path.suffix]
    assert len(kept) == 1
    assert "ZeroDivisionError" in "".join(fuzz._again(kept[0]))


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_a_target_is_fuzzed_in_a_process_of_its_own(tmp_path):
    result = fuzz.fuzz("gps", 40, 0, tmp_path)
    assert (result.tried >= 40, result.crashes, result.deaths, result.hangs) == (True, 0, 0, 0)
    assert result.coverage > 0
