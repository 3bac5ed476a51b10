import json
from datetime import UTC, datetime, timedelta

import pytest

from geosleuth.agent.cases.retention import sweep
from geosleuth.agent.cases.store import CaseStore

NOW = datetime.now(UTC)


def aged(store, name, days):
    case = store.create(name)
    path = store.folder / case.id / "case.json"
    old = case.model_copy(update={"changed": NOW - timedelta(days=days)})
    path.write_text(old.model_dump_json())
    return case.id


def test_what_nobody_touched_for_so_long_is_deleted_for_all_owners(tmp_path):
    root, log = tmp_path / "cases", tmp_path / "audit.jsonl"
    alice, bob = CaseStore(root, "alice"), CaseStore(root, "bob")
    old, young, bobs = aged(alice, "old", 31), aged(alice, "young", 29), aged(bob, "bob's", 400)
    assert set(sweep(root, 30, audit_log=log)) == {old, bobs}
    assert [one.id for one in alice.list()] == [young]
    assert bob.list() == []
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert {(one["event"], one["case"], one["reason"]) for one in events} == {
        ("case deleted", old, "retention"),
        ("case deleted", bobs, "retention"),
    }
    assert {one["owner"] for one in events} == {alice.folder.name, bob.folder.name}


def test_no_limit_deletes_nothing(tmp_path):
    store = CaseStore(tmp_path)
    case = aged(store, "old", 4000)
    assert sweep(tmp_path, None) == []
    assert sweep(tmp_path / "nowhere", 1) == []
    assert [one.id for one in store.list()] == [case]


def test_a_change_makes_a_case_young_again(tmp_path):
    store = CaseStore(tmp_path)
    case = aged(store, "old", 40)
    store.rename(case, "still wanted")
    assert sweep(tmp_path, 30) == []


def test_a_case_at_work_stays(tmp_path):
    store = CaseStore(tmp_path)
    case = aged(store, "old", 40)
    with store.checkpointer(store.open(case)):
        assert sweep(tmp_path, 30) == []
    assert sweep(tmp_path, 30) == [case]


def test_a_case_that_cannot_be_deleted_is_told_without_the_names_of_its_files(tmp_path, monkeypatch, caplog):
    store = CaseStore(tmp_path)
    case = aged(store, "old", 40)

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied", "witness-house.jpg")

    monkeypatch.setattr("geosleuth.agent.cases.retention.remove_case", denied)
    assert sweep(tmp_path, 30) == []
    said = f"Case {case} is too old and cannot be deleted (Permission denied): see its folder in cases_dir"
    assert caplog.messages == [said]


@pytest.mark.parametrize("name", ["photos", "0" * 31, "x" * 32])
def test_what_no_store_made_is_left_alone(tmp_path, name):
    other = tmp_path / name / ("0" * 32)
    other.mkdir(parents=True)
    (other / "mine.txt").write_text("x")
    assert sweep(tmp_path, 1, now=NOW + timedelta(days=4000)) == []
    assert (other / "mine.txt").exists()


def test_a_damaged_case_goes_by_the_age_of_its_folder(tmp_path):
    store = CaseStore(tmp_path)
    case = store.create("x")
    (store.folder / case.id / "case.json").write_text("{")
    assert sweep(tmp_path, 30) == []
    assert sweep(tmp_path, 30, now=NOW + timedelta(days=31)) == [case.id]
