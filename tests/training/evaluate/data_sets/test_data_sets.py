"""Each data set in its own layout. Pictures, names and positions are invented; only the layouts are the real ones."""

import json
from pathlib import Path

import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.datasets.listing import BLANK_LINE
from geosleuth.training.evaluate.data_sets import im2gps as im2gps_module
from geosleuth.training.evaluate.data_sets.by_name import DATA_SETS, HELP, open_labelled
from geosleuth.training.evaluate.data_sets.labelled_set import LabelledSet
from geosleuth.training.evaluate.data_sets.picture_comments import BY_COMMENTS, BY_EXIF
from geosleuth.training.evaluate.data_sets.places365 import TURNED
from geosleuth.training.georeasoner.placing import COUNTRY_BY_POSITION

JPEG = b"\xff\xd8\xff\xe0 the beginning of one"
HEAD = "IMG_ID,AUTHOR,LAT,LON,S3_Label,S16_Label,S365_Label,Prob_indoor,Prob_natural,Prob_urban\n"
REST = "1,8,36,0.1,0.8,0.1\n"


def lay(root: Path, *names: str, content: bytes = JPEG) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def seen(read: LabelledSet) -> list[tuple[str, float, float, str]]:
    return [(photo.file, *photo.position, photo.country) for photo in read]


def with_comments(path: Path, *comments: bytes, exif: Image.Exif | None = None) -> None:
    """Write a picture with comment blocks behind its first marker, as the downloader of IM2GPS left them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path, format="JPEG", exif=exif or Image.Exif())
    blocks = b"".join(b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text for text in comments)
    content = path.read_bytes()
    path.write_bytes(content[:2] + blocks + content[2:])


def test_im2gps_by_its_list_also_where_names_of_pictures_have_a_prefix(tmp_path: Path) -> None:
    plain, short, long = "11_aa_1_1@N00.jpg", "22_bb_2_2@N00.jpg", "Oldtown_00007_22_bb_2_2@N00.jpg"
    third = "Newtown_00009_33_cc_3_3@N00.jpg"
    lay(tmp_path, f"gps_query_imgs/{plain}", f"gps_query_imgs/{long}", "gps_query_imgs/33_cc_3_3@N00.jpg")
    rows = [f"{plain},1@N00,41.1,-8.6,", f"{short},2@N00,-12.0,-77.0,", f"{third},3@N00,35.7,139.7,"]
    (tmp_path / "im2gps_places365.csv").write_text(HEAD + "".join(row + REST for row in rows))
    read = open_labelled("im2gps", tmp_path)
    assert seen(read) == [
        (f"gps_query_imgs/{plain}", 41.1, -8.6, "PT"),
        (f"gps_query_imgs/{long}", -12.0, -77.0, "PE"),
        ("gps_query_imgs/33_cc_3_3@N00.jpg", 35.7, 139.7, "JP"),
    ]
    assert read.notes["rows of the published 237 that this list has not"] == 234


def test_a_prefix_is_no_way_out_of_the_root(tmp_path: Path) -> None:
    lay(tmp_path, "root/11_aa_1_1@N00.jpg", "root/22_bb_2_2@N00.jpg")
    rows = "../x/11_aa_1_1@N00.jpg,1@N00,41.1,-8.6," + REST + "22_bb_2_2@N00.jpg,2@N00,41.1,-8.6," + REST
    (tmp_path / "root/im2gps_places365.csv").write_text(HEAD + rows)
    read = open_labelled("im2gps", tmp_path / "root")
    assert [photo.file for photo in read] == ["22_bb_2_2@N00.jpg"]
    assert read.skipped == (Skipped("../x/11_aa_1_1@N00.jpg", "its path leads out of the root"),)


def test_im2gps_by_the_comments_in_its_pictures_else_their_exif(tmp_path: Path) -> None:
    with_comments(tmp_path / "a.jpg", b"photo: 11 aa 1", b"latitude: 41.1", b"longitude: -8.6\0", b"accuracy: 16")
    exif = Image.Exif()
    exif[0x8825] = {1: "S", 2: (12.0, 0.0, 0.0), 3: "W", 4: (77.0, 0.0, 0.0)}
    with_comments(tmp_path / "b.jpg", b"latitude: 1.0", exif=exif)
    with_comments(tmp_path / "c.jpg", b"title: latitudes of the north")
    lay(tmp_path, "d.jpg", "e.txt")
    read = open_labelled("im2gps", tmp_path)
    assert seen(read) == [("a.jpg", 41.1, -8.6, "PT"), ("b.jpg", -12.0, -77.0, "PE")]
    assert {one.path: one.reason for one in read.skipped} == {
        "c.jpg": im2gps_module.NO_COMMENT,
        "d.jpg": read.skipped[1].reason,
    }
    assert read.skipped[1].reason.startswith("it cannot be opened: a JPEG with a broken header")
    assert (read.notes[BY_COMMENTS], read.notes[BY_EXIF]) == (1, 1)


def test_im2gps_by_info_json(tmp_path: Path) -> None:
    lay(tmp_path, "images/a.jpg", "images/b.jpg")
    info = {"a.jpg": ["owner: x", "latitude: 41.1", "longitude: -8.6", "accuracy: 16", "url"], "b.jpg": []}
    (tmp_path / "info.json").write_text(json.dumps(info))
    read = open_labelled("im2gps", tmp_path)
    assert seen(read) == [("images/a.jpg", 41.1, -8.6, "PT")]
    assert read.skipped == (Skipped("b.jpg", "no position: a control"),)


@pytest.mark.parametrize(("text", "found"), [("[1]", "another form"), ('{"a": 1}', "another form"), ("{", "read")])
def test_info_json_of_another_form_is_refused(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "info.json").write_text(text)
    with pytest.raises(InputError, match="comments by file") as caught:
        open_labelled("im2gps3k", tmp_path)
    assert found in caught.value.found
    assert caught.value.remedy == "Write it anew: an object of lists of comments, by file name."


@pytest.mark.parametrize("head", [HEAD, HEAD.replace("LAT,LON", "LON,LAT")])
def test_im2gps3k_and_its_list_of_before_2020_whose_header_is_exchanged(tmp_path: Path, head: str) -> None:
    places = [(41.1, -8.6, "PT"), (-33.9, 151.2, "AU"), (35.7, 139.7, "JP")]
    names = [f"{n}_aa_{n}_{n}@N00.jpg" for n in range(len(places))]
    lay(tmp_path, *(f"im2gps3ktest/{name}" for name in names), "im2gps3ktest/not_in_the_list.jpg")
    rows = [f"{name},x,{lat},{lon}," + REST for name, (lat, lon, _) in zip(names, places, strict=True)]
    (tmp_path / "im2gps3k_places365.csv").write_text(head + "".join(rows))
    read = open_labelled("im2gps3k", tmp_path)
    assert seen(read) == [(f"im2gps3ktest/{name}", *place) for name, place in zip(names, places, strict=True)]
    assert read.notes.get(TURNED) == (None if head == HEAD else 3)


def test_a_list_may_lie_elsewhere(tmp_path: Path) -> None:
    lay(tmp_path, "pictures/1_a_1_1@N00.jpg")
    (tmp_path / "list.csv").write_text(HEAD + "1_a_1_1@N00.jpg,x,41.1,-8.6," + REST)
    read = open_labelled("im2gps3k", tmp_path / "pictures", labels=tmp_path / "list.csv")
    assert seen(read) == [("1_a_1_1@N00.jpg", 41.1, -8.6, "PT")]


def test_yfcc4k_by_its_three_lists(tmp_path: Path) -> None:
    lay(tmp_path, "images/101.jpg", "images/202.jpg")
    expected = [("images/101.jpg", 41.1, -8.6, "PT"), ("images/202.jpg", 35.7, 139.7, "JP")]
    own = tmp_path / "0aaaa.r.imagedata.txt"
    own.write_text("set/x/101.jpg 41.1 -8.6 more\nset\\202.jpg 35.7 139.7\n\nset/x/303.jpg 1\n")
    read = open_labelled("yfcc4k", tmp_path)
    assert seen(read) == expected
    assert read.skipped == (
        Skipped("0aaaa.r.imagedata.txt:3", BLANK_LINE),
        Skipped("0aaaa.r.imagedata.txt:4", "2 columns, not three or more"),
    )
    fields = ["hash", "owner", "nick name", "2010-01-01", "1", "camera", "A+title", "", "tag,tag", ""]
    lines = [["7", "101", *fields, "-8.6", "41.1", "16"], ["8", "202", *fields, "139.7", "35.7", "16"]]
    (tmp_path / "info.txt").write_text("".join("\t".join(line) + "\n" for line in lines))
    assert seen(open_labelled("yfcc4k", tmp_path)) == expected
    (tmp_path / "yfcc4k.csv").write_text("IMG_ID,OwnerNSID,LAT,LON\n101.jpg,x,41.1,-8.6\n202.jpg,x,35.7,139.7\n")
    assert seen(open_labelled("yfcc4k", tmp_path)) == expected


def test_gws15k_by_a_manifest(tmp_path: Path) -> None:
    lay(tmp_path, "images/image_0.png", "images/image_1.jpg")
    (tmp_path / "gws15k.csv").write_text(
        'image_id,city,country,headings,lat,lon\nimage_0,Porto,Portugal,"[48.7,138.7]",41.1,-8.6\n'
        'image_1,,,"[1,2]",35.7,139.7\nimage_2,,,"[1,2]",35.7,139.7\n'
    )
    read = open_labelled("gws15k", tmp_path)
    assert seen(read) == [("images/image_0.png", 41.1, -8.6, "PT"), ("images/image_1.jpg", 35.7, 139.7, "JP")]
    assert [photo.city for photo in read] == ["Porto", None]
    assert read.skipped == (Skipped("image_2", "no such file"),)


def test_osv5m_with_a_part_of_its_archives(tmp_path: Path) -> None:
    lay(tmp_path, "images/test/00/3859149887465501.jpg", "images/test/04/12.jpg", "images/test/13.jpg")
    (tmp_path / "test.csv").write_text(
        "id,latitude,longitude,thumb_original_url,country,sequence,cell,region,sub-region,city,unique_city\n"
        '3859149887465501,41.1,-8.6,,PT,s,"(0, 8)",Norte,,Porto,Porto_NaN_PT\n'
        '12,-22.57,17.08,,NMB,s,"(0, 8)",Khomas,,Windhoek,\n'
        '13,35.7,139.7,,,s,"(0, 8)",,,NaN,\n'
        '14,35.7,139.7,,JP,s,"(0, 8)",,,,\n'
    )
    read = open_labelled("osv5m", tmp_path)
    assert seen(read) == [
        ("images/test/00/3859149887465501.jpg", 41.1, -8.6, "PT"),
        ("images/test/04/12.jpg", -22.57, 17.08, "NA"),
        ("images/test/13.jpg", 35.7, 139.7, "JP"),
    ]
    assert [photo.city for photo in read] == ["Porto", "Windhoek", None]
    assert read.skipped == (Skipped("14", "no such file"),)


def test_osv5m_without_pictures_says_what_to_unpack(tmp_path: Path) -> None:
    (tmp_path / "test.csv").touch()
    with pytest.raises(InputError, match=r"images/test/00\.zip") as caught:
        open_labelled("osv5m", tmp_path)
    assert caught.value.found == "no images/test; it holds test.csv"


def test_street_dev_with_its_stills_apart_from_its_labels(tmp_path: Path) -> None:
    lay(tmp_path, "stills/0.041.jpg", "stills/control.jpg")
    (tmp_path / "labels.csv").write_text(
        "source_file,lat,lon,country,iso2,city,heading\n0.041.jpg,41.1,-8.6,Portugal,PT,Porto,343\n"
        "control.jpg,,,,,,\n7.1.jpg,41.1,-8.6,Portugal,PT,Porto,343\n"
    )
    for read in (
        open_labelled("street-dev", tmp_path / "stills", labels=tmp_path / "labels.csv"),
        open_labelled("street-dev", tmp_path),
    ):
        assert [(photo.path.name, photo.country, photo.city) for photo in read] == [("0.041.jpg", "PT", "Porto")]
        assert {one.path: one.reason for one in read.skipped} == {
            "control.jpg": "no position: a control",
            "7.1.jpg": "no such file",
        }


def test_any_table_has_the_name_of_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path / "holiday", "day 1/a.jpg")
    (tmp_path / "holiday/photos.csv").write_text("file,lat,lon,country\nday 1/a.jpg,41.1,-8.6,Portugal\n")
    monkeypatch.chdir(tmp_path)
    read = open_labelled("csv", Path("holiday"))
    assert (read.name, seen(read)) == ("holiday", [("day 1/a.jpg", 41.1, -8.6, "PT")])
    assert read.photos[0].path == tmp_path / "holiday/day 1/a.jpg"


def test_a_draw_by_name_and_seed(tmp_path: Path) -> None:
    names = [f"{n:02}.jpg" for n in range(12)]
    lay(tmp_path, *names)
    places = ["41.1,-8.6"] * 8 + ["35.7,139.7"] * 4
    rows = [f"{name},{place}\n" for name, place in zip(names, places, strict=True)]
    (tmp_path / "labels.csv").write_text("file,lat,lon\n" + "".join(rows))
    drawn = open_labelled("csv", tmp_path, limit=3)
    assert sorted(photo.country for photo in drawn) == ["JP", "PT", "PT"]
    assert drawn.notes == {COUNTRY_BY_POSITION: 3}
    assert drawn == open_labelled("csv", tmp_path, limit=3)
    longer = {photo.file for photo in open_labelled("csv", tmp_path, limit=6)}
    assert {photo.file for photo in drawn} < longer
    assert any(open_labelled("csv", tmp_path, limit=3, seed=seed) != drawn for seed in range(1, 5))


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_set_tells_where_it_looked_and_for_what(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        open_labelled(name, tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in caught.value.wanted
    assert caught.value.found == "no such folder"
    lay(tmp_path, "something.else")
    with pytest.raises(InputError) as caught:
        open_labelled(name, tmp_path)
    assert ".csv" in caught.value.wanted
    assert "it holds something.else" in caught.value.found


def test_im2gps_without_list_and_pictures_names_both(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gps_query_imgs\.zip"):
        open_labelled("im2gps", tmp_path / "nowhere")


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'a data set; found "im2gps4k"\. Use one of: im2gps, im2gps3k, yfcc4k'):
        open_labelled("im2gps4k", tmp_path)


def test_help_has_a_line_for_each_set() -> None:
    assert [line.partition(":")[0] for line in HELP.splitlines()] == list(DATA_SETS)
