"""Hostile files: one of each kind of the corpus ends in a photo or in an InputError, as the corpus says."""

import signal
import sys
from collections import defaultdict
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "robustness"))
try:
    import hostile_bytes
    import hostile_files
    import hostile_metadata
    import hostile_paths
    import hostile_pictures
finally:
    sys.path.pop(0)

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.exif import parse_exif
from geosleuth.indexes.photo import load_photo, open_photo

HUGE = 3_000_000  # bytes: larger ones wait for the benchmark
SLOW = {"PNG of 400 MP, truly", "500 segments, 30 MB"}


@pytest.fixture(autouse=True)
def _no_hang():
    """What hangs ends as a failure, not as a test run that never ends."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def over(*_):
        raise TimeoutError("a hostile file kept us for ten minutes")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(600)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def judged(name, path, expected):
    """The outcome where it is not the expected one."""
    outcome = hostile_files.look(str(path))
    allowed = ("photo", "refused") if expected == "either" else (expected,)
    return None if outcome in allowed else f"{name}: {outcome} instead of {expected}"


def judged_all(attacks, folder):
    wrong = []
    for attack in attacks:
        path = folder / f"attack{attack.suffix}"
        path.write_bytes(attack.content)
        wrong.append(judged(f"{attack.group}, {attack.name}", path, attack.expected))
    return [one for one in wrong if one]


@pytest.mark.parametrize("kind", hostile_bytes.KINDS)
def test_the_uncut_pictures_of_the_corpus_are_sound(kind):
    content = hostile_bytes.picture(kind)
    photo = load_photo(content)
    assert (photo.format, photo.size) == (kind, hostile_bytes.SIZE_PX)
    if kind != "GIF":  # which carries no metadata
        position = parse_exif(photo.exif, photo.xmp).position
        assert (round(position.lat, 3), round(position.lon, 3)) == (42.504, 4.258)  # 42 30' 15", 4 15' 30"
    starts = hostile_bytes.cuts(kind, content)
    assert len(starts) >= 20
    assert starts == sorted(set(starts))
    assert len(content) - 20 < starts[-1] or kind in ("TIFF", "HEIC", "WebP")  # the last block of all


def test_a_cut_of_each_kind_of_block_is_refused(tmp_path):
    by_format = defaultdict(list)
    for attack in hostile_pictures.truncations():
        by_format[attack.group].append(attack)
    assert len(by_format) == 6
    chosen = [attack for group in by_format.values() for attack in group[:: max(1, len(group) // 6)]]
    assert judged_all(chosen, tmp_path) == []


@pytest.mark.parametrize(
    "made",
    [
        hostile_pictures.bombs,
        hostile_pictures.lies,
        hostile_pictures.polyglots,
        hostile_pictures.disguises,
        hostile_metadata.exif_attacks,
        hostile_metadata.xmp_attacks,
        hostile_metadata.icc_attacks,
    ],
)
def test_each_attack_ends_as_the_corpus_says(made, tmp_path, monkeypatch):
    monkeypatch.setattr(hostile_metadata, "UNPACKED_MB", 2)  # above Pillow's limit of 1 MB for a text
    monkeypatch.setattr(hostile_pictures, "MANY", 1500)  # above the 1,000 that are counted
    attacks = [attack for attack in made() if attack.name not in SLOW and len(attack.content) < HUGE]
    assert len(attacks) >= 8
    assert judged_all(attacks, tmp_path) == []


def test_changed_bytes_end_in_a_photo_or_a_refusal(tmp_path):
    attacks = list(hostile_pictures.flips(seed=11, each=6))
    assert len(attacks) == 36
    assert judged_all(attacks, tmp_path) == []


def test_each_place_on_the_disk_ends_as_the_corpus_says(tmp_path):
    places = [place for place in hostile_paths.hostile_places(tmp_path) if "1 GiB" not in place.name]
    assert {place.group for place in places} >= {"name", "size", "no file"}
    wrong = [judged(place.name, place.path, place.expected) for place in places]
    assert [one for one in wrong if one] == []


def test_a_file_that_says_it_is_empty_is_not_waited_for(tmp_path, monkeypatch):
    """/proc and /sys have ordinary files of 0 bytes that hand out data, or wait for it for ever."""
    (tmp_path / "a.jpg").touch()
    monkeypatch.setattr("os.open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(InputError, match="an empty file"):
        load_photo(tmp_path / "a.jpg")


def test_of_another_kind_only_the_beginning_is_read(tmp_path):
    path = tmp_path / "zeros.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 30)  # sparse; 1 GiB is just allowed
    read = []

    class Watched:
        def __init__(self, file):
            self._file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def fileno(self):
            return self._file.fileno()

        def read(self, size):
            read.append(size)
            return self._file.read(size)

    from geosleuth.indexes import photo_file

    whole = photo_file._opened
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photo_file, "_opened", lambda path: Watched(whole(path)))
        with pytest.raises(InputError, match=r"text|another kind"):
            load_photo(path)
    assert read == [4096]


def test_words_of_a_decoder_and_paths_are_printable_in_errors(tmp_path):
    heic = hostile_bytes.picture("HEIC")
    for source in (heic[: len(heic) // 8], tmp_path / "none\n\x1b[2J.jpg", "http://a/\x07b"):
        with pytest.raises(InputError) as caught:
            open_photo(source)
        assert str(caught.value).isprintable()


def test_the_tally_counts_what_went_wrong():
    tally = hostile_files.Tally()
    for expected, outcome in (
        ("photo", "photo"),
        ("refused", "refused"),
        ("either", "refused"),
        ("refused", "photo"),
        ("either", "ZeroDivisionError: x"),
        ("photo", "hang"),
    ):
        tally.add("g", "n", expected, outcome, 1.5, 20.0)
    row = tally.rows["g"]
    assert (row.tried, row.read, row.refused, row.unexpected, row.crashes, row.hangs) == (6, 2, 2, 1, 1, 1)
    assert len(tally.trouble) == 3
    assert tally.table().splitlines()[-1] == "| all | 6 | 2 | 2 | 1 | 1 | 1 | 1.5 | 20 |"


def test_one_file_of_each_group_comes_first():
    attacks = [hostile_bytes.Attack(str(i), group, b"", "photo") for group in "ab" for i in range(3)]
    chosen = hostile_files.one_of_each(attacks, 4, seed=0)
    assert [one.group for one in chosen] == ["a", "b", "a", "b"]
    assert len({(one.group, one.name) for one in chosen}) == 4
