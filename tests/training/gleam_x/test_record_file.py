import pytest
from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_x.record import Reasons
from geosleuth.training.gleam_x.record_file import append_records, picture_path, read_records, write_records

WHY = Reasons(agreeing=("左侧的红色屋顶",), conclusion="是同一个地方。")


def test_what_was_written_is_read_again(tmp_path, made):
    records = [made(1), made(1, lang="zh", explanation=WHY), made(2, "no_match", hard_negative_rank=3)]
    path = tmp_path / "pairs.jsonl"
    write_records(path, records)
    read = read_records(path)
    assert (read.records, read.bad, len(read), read[1].explanation) == (tuple(records), (), 3, WHY)
    assert "红色屋顶" in path.read_text(encoding="utf-8")  # for people, too
    assert repr(read) == "pairs.jsonl: 3 records, 0 bad lines"


def test_bad_lines_are_counted_or_refused(tmp_path, made):
    path = tmp_path / "pairs.jsonl"
    good, other = made(1).model_dump_json(), made(2).model_dump_json()
    wrong_label = good.replace('"label":"match"', '"label":"maybe"')
    path.write_bytes(f"{good}\n\n{wrong_label}\n{other}\n".encode() + b'{"pair_id": "\xff')
    read = read_records(path)
    assert [one.pair_id for one in read] == ["pair-1", "pair-2"]
    assert [one.number for one in read.bad] == [3, 5]
    assert read.bad[0].reason == "label: Input should be 'match' or 'no_match'"
    with pytest.raises(InputError) as caught:
        read_records(path, strict=True)
    assert caught.value.wanted == f"a record in line 3 of {path}"
    assert caught.value.found == "label: Input should be 'match' or 'no_match'"


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


def test_records_are_added_to_a_torn_file(tmp_path, made):
    path = tmp_path / "pairs.jsonl"
    append_records(path, [made(1)])
    with path.open("ab") as file:
        file.write(b'{"pair_id": "torn')
    append_records(path, [made(1, lang="zh"), made(2)])
    read = read_records(path)
    assert [(one.pair_id, one.lang) for one in read] == [("pair-1", "en"), ("pair-1", "zh"), ("pair-2", "en")]
    assert [one.number for one in read.bad] == [2]
    with pytest.raises(InputError, match="'pair-2' in en in the file and again as number 2"):
        append_records(path, [made(3), made(2)])
    assert len(read_records(path)) == 3  # nothing was added


def test_a_file_that_cannot_be_written_is_explained(tmp_path, made):
    with pytest.raises(InputError, match="Wanted a file that can be written"):
        write_records(tmp_path / "none" / "pairs.jsonl", [made(1)])


def test_a_record_holds_nothing_else(made):
    with pytest.raises(ValidationError, match="extra"):
        made(1, certainty=1.0)
    with pytest.raises(ValidationError):
        Reasons(agreeing=("",), conclusion="x")
