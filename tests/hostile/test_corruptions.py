"""The corruption study: what is done to pictures, which places are false, and how moved answers are counted."""

import dataclasses
import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "robustness"))
try:
    import corrupt_photo
    import corruption_table
    import corruptions
    import false_place
finally:
    sys.path.pop(0)

from geosleuth.agent.calibration import load_calibration
from geosleuth.agent.settings import Settings
from geosleuth.indexes.countries import country
from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.evidence import Evidence, OverRegions
from geosleuth.training.evaluate.agent.scored import Observed, Scored, Truth
from geosleuth.training.evaluate.data_sets.labelled_set import LabelledSet
from geosleuth.training.evaluate.labelled import LabelledPhoto

WRITING = corrupt_photo.Writing("Lyon", "France", "fr")


def picture(width: int = 240, height: int = 160) -> Image.Image:
    rng = np.random.default_rng(7)
    coarse = Image.fromarray(rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def made(name: str, strength: int, image: Image.Image | None = None) -> Image.Image:
    return corrupt_photo.corrupted(image or picture(), name, strength, np.random.default_rng(1), WRITING)


def grey(value: int) -> Image.Image:
    return Image.new("RGB", (200, 200), (value, value, value))


def test_eight_corruptions_at_three_strengths_are_the_same_each_time_and_grow():
    assert len(corrupt_photo.CORRUPTIONS) == 8
    image = picture(480, 320)  # on smaller ones the weakest blur is none
    before = np.asarray(image, dtype=float)
    for name in corrupt_photo.CORRUPTIONS:
        pictures = [made(name, strength, image) for strength in corrupt_photo.STRENGTHS]
        assert [one.tobytes() for one in pictures] == [made(name, s, image).tobytes() for s in corrupt_photo.STRENGTHS]
        if name in ("crop", "rotation"):
            continue
        changed = [float(np.abs(np.asarray(one, dtype=float) - before).mean()) for one in pictures]
        assert 0 < changed[0] < changed[1] < changed[2], name


def test_a_crop_keeps_its_share_of_the_area_and_a_quarter_turn_swaps_the_sides():
    for strength, share in ((1, 0.75), (2, 0.5), (3, 0.25)):
        width, height = made("crop", strength).size
        assert width * height == pytest.approx(share * 240 * 160, rel=0.01)
        assert width / height == pytest.approx(1.5, rel=0.01)
    assert made("rotation", 3).size == (160, 240)


def test_darkness_takes_light_and_not_numbers():
    # 188 is 0.5029 of linear light; 1.5 stops less are 0.1778, which sRGB writes as 117.
    assert made("darkness", 1, grey(188)).getpixel((0, 0)) == (117, 117, 117)


def test_noise_has_the_standard_deviation_that_is_said():
    spread = np.asarray(made("noise", 1, grey(128)), dtype=float).std()
    assert spread == pytest.approx(0.08 * 255, rel=0.02)


def test_an_overlay_leaves_the_photo_above_it_and_fits_the_longest_line():
    longest = corrupt_photo.Writing("Llanfairpwllgwyngyllgogerychwyrndrobwll", "Wales", "uk")
    before = np.asarray(picture())
    for writing in (WRITING, longest):
        for strength in corrupt_photo.STRENGTHS:
            after = np.asarray(
                corrupt_photo.corrupted(picture(), "overlay", strength, np.random.default_rng(), writing)
            )
            assert (after[:80] == before[:80]).all()
            band = after[-6:, -3:]  # letters end before the edge
            assert (band == 20).all()
    assert WRITING.lines(1) == ["Lyon"]
    assert WRITING.lines(3) == ["Welcome to Lyon", "Lyon, France", "www.lyon.fr"]
    with pytest.raises(ValueError, match="needs what it writes"):
        corrupt_photo.corrupted(picture(), "overlay", 1, np.random.default_rng())


def test_a_false_place_is_a_large_city_that_its_name_means_and_never_in_the_true_country():
    drawn = [false_place.draw_false_place("FR", 0, f"{number}.jpg") for number in range(40)]
    assert drawn == [false_place.draw_false_place("FR", 0, f"{number}.jpg") for number in range(40)]
    assert drawn != [false_place.draw_false_place("FR", 1, f"{number}.jpg") for number in range(40)]
    assert "FR" not in {place.country for place in drawn}
    assert len({place.country for place in drawn}) > 20
    for place in drawn:
        assert place.population >= false_place.LARGE_PEOPLE
        assert load_gazetteer().lookup(place.name)[0].place.id == place.id
        assert false_place.writing_of(place).country == country(place.country).name


def truth(file: str = "a.jpg", sha256: str = "0") -> Truth:
    return Truth(file=file, sha256=sha256, lat=38.7, lon=-9.1, country="PT")


def scored(named: str, status: str, probability: float = 0.5, of: Truth | None = None) -> Scored:
    return Scored(
        truth=of or truth(),
        status=status,
        point=(38.7, -9.1),
        error_km=0.0 if named == "PT" else 5000.0,
        point_country=named,
        named_country=named,
        probability=0.9,
        truth_probability=probability,
        in_50=named == "PT",
        in_90=True,
        area_50_km2=1.0,
        area_90_km2=2.0,
    )


def seen(of: Truth, **log_ratios: float) -> Observed:
    found = [Evidence(tool="seen", type="seen.invented", claim="", likelihood=OverRegions(log_ratios=log_ratios))]
    return Observed(truth=of, evidence=tuple(found if log_ratios else ()), seconds=1.0, calls={})


def test_an_answer_that_moved_is_counted_once_against_evidence_and_once_as_an_answer():
    one, two = truth("a.jpg"), truth("b.jpg")
    clean = [
        (seen(one, PT=8.0), scored("PT", "localized", 0.9, one)),
        (seen(two), scored("CN", "not_locatable", 0.1, two)),
    ]
    now = [
        (seen(one, PT=8.0, BR=9.0), scored("BR", "coarse", 0.3, one)),
        (seen(two, BR=9.0), scored("BR", "localized", 0.1, two)),
    ]
    rows = false_place.lured(clean, now, ["BR", "BR"], load_calibration())
    assert [row.against for row in rows] == [True, False]
    assert [row.moved for row in rows] == [True, True]
    assert [row.believed for row in rows] == [False, True]
    assert rows[0].false_before < 0.01 < 0.5 < rows[0].false_now
    figures = {name: one.value for name, one in false_place.lured_figures(rows).items()}
    assert figures["moved to the false country"] == 1.0
    assert figures["moved, and told as an answer"] == 0.5
    assert figures["clean evidence against it: moved"] == 1.0  # of the one
    assert figures["clean evidence against it: moved, and told as an answer"] == 0.0
    assert figures["answered when clean: moved"] == 1.0
    assert figures["true country's probability, change"] == pytest.approx(-0.3)  # (0.3 - 0.9 + 0.1 - 0.1) / 2


def test_an_answer_that_named_the_false_country_before_has_not_moved():
    rows = false_place.lured(
        [(seen(truth(), BR=5.0), scored("BR", "localized"))],
        [(seen(truth(), BR=9.0), scored("BR", "localized"))],
        ["BR"],
        load_calibration(),
    )
    assert not rows[0].moved


@dataclasses.dataclass(frozen=True)
class Told(corruptions.Study):
    """A study whose photos are looked at by nobody: overlays move the second answer."""

    def judged(self, name, strength):
        moved = name == "overlay"
        one, two = truth("a.jpg", f"{name}-{strength}"), truth("b.jpg", f"{name}-{strength}")
        return [
            (seen(one, PT=8.0), scored("PT", "localized", 0.9, one)),
            (seen(two, BR=9.0 if moved else 0.0), scored("BR" if moved else "PT", "coarse", 0.1, two)),
        ]

    def false_country(self, _):
        return "BR"


def study(kind: type, folder: Path) -> corruptions.Study:
    path = folder / "a.jpg"
    picture().save(path, "JPEG", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00")
    photos = [LabelledPhoto(path, LatLon(38.7, -9.1), "PT", None, name) for name in ("a.jpg", "sub/b.png")]
    return kind(photos, folder / "scratch", Settings(), load_calibration(), 0, 1)


def test_states_are_paired_with_the_clean_photos_though_their_bytes_differ(tmp_path):
    rows = list(corruptions._rows(study(Told, tmp_path), ["blur", "overlay"], [1, 3]))
    assert [row.title for row in rows] == ["clean", "blur 1", "blur 3", "overlay 1", "overlay 3"]
    assert [len(row.lured) for row in rows] == [0, 0, 0, 2, 2]
    text = corruption_table.table_of(rows, LabelledSet("invented", tuple(study(Told, tmp_path).photos)), 0)
    assert "invented: 2 photos in 1 countries, seed 0. 4 of 24 corrupted states." in text
    changes = {line.split(" | ")[0][2:]: line for line in text.split("state, less clean")[1].splitlines()}
    assert changes["blur 1"].endswith("| 0, 0 |")
    assert changes["overlay 3"].endswith("| 0, 1 |")
    assert "-50.0 points" in changes["overlay 3"]
    assert "Clean evidence is against it in 1 photos" in text


def test_pictures_are_written_once_without_metadata_and_photos_of_one_name_do_not_meet(tmp_path):
    one = study(corruptions.Study, tmp_path)
    first = [one._picture(photo, tmp_path / "clean", "clean", 0) for photo in one.photos]
    sha256 = hashlib.sha256(one.photos[0].path.read_bytes()).hexdigest()  # both have the same bytes
    names = [path.relative_to(tmp_path / "clean").as_posix() for path in first]
    assert names == [f"{sha256}/a.jpg.jpg", f"{sha256}/sub/b.png.jpg"]
    assert load_photo(one.photos[0].path).exif is not None
    assert load_photo(first[0]).exif is None
    difference = np.abs(np.asarray(Image.open(first[0]), float) - load_photo(one.photos[0].path).pixels)
    assert difference.mean() < 2.0  # of 255: what the writer itself adds
    first[0].write_bytes(b"kept")
    assert one._picture(one.photos[0], tmp_path / "clean", "clean", 0).read_bytes() == b"kept"


def test_photos_of_one_name_in_two_roots_or_with_two_endings_stay_apart_on_one_scratch_folder(tmp_path):
    one, photos = study(corruptions.Study, tmp_path), []
    for shade, root, name in ((0, "A", "1.jpg"), (90, "A", "1.png"), (180, "B", "1.jpg")):
        path = tmp_path / root / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (64, 48), (shade, shade, shade)).save(path)
        photos.append(LabelledPhoto(path, LatLon(38.7, -9.1), "PT", None, name))
    for name, strength in (("clean", 0), ("blur", 1)):  # a blurred even grey is the same grey
        written = [one._picture(photo, tmp_path / f"{name}-{strength}", name, strength) for photo in photos]
        means = [np.asarray(Image.open(path), float).mean() for path in written]
        assert means == pytest.approx([0, 90, 180], abs=2)
