import sys

import pytest
from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_x.record import Reasons
from geosleuth.training.gleam_x.record_file import check_writable, picture_path, read_records, write_records

WHY = Reasons(agreeing=("左侧的红色屋顶",), conclusion="是同一个地方。")


def test_what_was_written_is_read_again(tmp_path, made):
    records = [made(1), made(1, lang="zh", explanation=WHY), made(2, "no_match", hard_negative_rank=3)]
    path = tmp_path / "pairs.jsonl"
    write_records(path, records)
    read = read_records(path)
    assert (read.records, read.bad, len(read), read[1].explanation) == (tuple(records), (), 3, WHY)
    assert "红色屋顶" in path.read_text(encoding="utf-8")  # for people, too
    assert repr(read) == "pairs.jsonl: 3 records, 0 bad lines"


def test_bad_lines_are_counted(tmp_path, made):
    path = tmp_path / "pairs.jsonl"
    good, other = made(1).model_dump_json(), made(2).model_dump_json()
    wrong_label = good.replace('"label":"match"', '"label":"maybe"')
    path.write_bytes(f"{good}\n\n{wrong_label}\n{other}\n".encode() + b'{"pair_id": "\xff')
    read = read_records(path)
    assert [one.pair_id for one in read] == ["pair-1", "pair-2"]
    assert [one.number for one in read.bad] == [3, 5]
    assert read.bad[0].reason == "label: Input should be 'match' or 'no_match'"


def test_a_file_without_records_is_refused(tmp_path):
    path = tmp_path / "pairs.jsonl"
    with pytest.raises(InputError, match=r"Wanted a file of pairs.*found No such file.*curate pairs"):
        read_records(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="found none in 2 lines; line 1: Invalid JSON"):
        read_records(path)
    path.write_text("")
    assert read_records(path).records == ()


@pytest.mark.parametrize("bad", ["../secret.png", "/etc/passwd", "a/../../b.png", "C:\\b.png", "\\\\host\\b.png", ""])
def test_a_path_that_leaves_the_root_is_refused(tmp_path, made, bad):
    path = tmp_path / "pairs.jsonl"
    path.write_text(f"{made(1).model_dump_json()}\n{made(2, satellite_path=bad).model_dump_json()}\n")
    with pytest.raises(InputError, match=r"Wanted a path below the root in line 2 of .*; found .*forward slashes"):
        read_records(path)
    with pytest.raises(InputError, match="a path below the root in record 1"):
        write_records(tmp_path / "other.jsonl", [made(2, query_path=bad)])
    with pytest.raises(InputError, match="Wanted a picture below"):
        picture_path(tmp_path, bad)
    assert not (tmp_path / "other.jsonl").exists()
    assert picture_path(tmp_path, "a/b.png") == tmp_path / "a/b.png"


def test_a_pair_comes_once_in_a_language(tmp_path, made):
    path = tmp_path / "pairs.jsonl"
    path.write_text(f"{made(1).model_dump_json()}\n\n{made(1, 'no_match').model_dump_json()}\n")
    with pytest.raises(InputError, match=r"'pair-1' in en as number 1 and again as number 3\. Remove one"):
        read_records(path)
    with pytest.raises(InputError, match="'pair-1' in en as number 1 and again as number 2"):
        write_records(path, [made(1), made(1)])


def test_a_mark_at_the_beginning_costs_no_record(tmp_path, made):
    path = tmp_path / "pairs.jsonl"
    path.write_text(f"{made(1).model_dump_json()}\n{made(2).model_dump_json()}\n", encoding="utf-8-sig")
    read = read_records(path)
    assert ([one.pair_id for one in read], read.bad) == (["pair-1", "pair-2"], ())


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_that_leads_out_of_the_root_is_refused(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "secret.png").touch()
    (tmp_path / "root/file.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "root/folder").symlink_to(tmp_path)
    (tmp_path / "root/inside.png").symlink_to(tmp_path / "root/there.png")
    for bad in ("file.png", "folder/secret.png"):
        with pytest.raises(InputError, match=r"a link that leads out\. Copy it there"):
            picture_path(tmp_path / "root", bad)
    assert picture_path(tmp_path / "root", "inside.png") == tmp_path / "root/inside.png"


def test_a_file_that_cannot_be_written_is_explained(tmp_path, made):
    with pytest.raises(InputError, match="Wanted a file that can be written"):
        write_records(tmp_path / "none" / "pairs.jsonl", [made(1)])
    with pytest.raises(InputError, match="Wanted a file that can be written"):
        check_writable(tmp_path / "none" / "pairs.jsonl")
    check_writable(tmp_path / "pairs.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_record_holds_nothing_else(made):
    with pytest.raises(ValidationError, match="extra"):
        made(1, certainty=1.0)
    with pytest.raises(ValidationError):
        Reasons(agreeing=("",), conclusion="x")
