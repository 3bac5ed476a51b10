import errno
import hashlib
import json
import os
import stat
import sys

import pytest

from geosleuth.agent.cases.case import CaseSummary
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.inquiry import Hint, Inquiry
from geosleuth.agent.settings import Backends, Settings
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo_edit import Edit

SUVA = {"name": "Suva", "country": "FJ", "lat": -18.14, "lon": 178.44, "probability": 0.8}
NOBODY = "0" * 32


def everything(root):
    return b"\n".join(path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file())


def said(*hints):
    return Inquiry(statements=tuple(Hint(text=hint) for hint in hints))


def finished(store, answer, *, name="Robbery", **changes):
    case = store.create(name)
    store.begin_turn(case.id, Inquiry())
    return store.finish_turn(case.id, 1, answer(**changes))


def test_a_case_is_one_folder_with_all_of_it(store, jpeg, answer):
    case = store.create("Robbery")
    store.add_photo(case.id, jpeg, "street.jpg")
    store.begin_turn(case.id, Inquiry())
    case = store.finish_turn(case.id, 1, answer())
    sha256 = hashlib.sha256(jpeg).hexdigest()
    folder = store.root / hashlib.sha256(b"local").hexdigest()[:32] / case.id
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {"case.json", "custody.jsonl", "answers/0001.json", f"photos/{sha256}.jpg", "write.lock"}
    assert (folder / case.photos[0].file).read_bytes() == jpeg
    assert store.open(case.id) == case
    assert store.answer(case) == answer()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_only_its_owner_may_read_a_case(store, jpeg, answer):
    case = store.create()
    store.add_photo(case.id, jpeg, "street.jpg")
    store.begin_turn(case.id, Inquiry())
    store.finish_turn(case.id, 1, answer())
    with store.checkpointer(case):
        for path in store.folder.rglob("*"):
            if not path.name.endswith(".lock"):  # these hold nothing
                assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_list_shows_the_last_changed_first_and_what_came_of_it(store, answer):
    first = finished(store, answer, city=SUVA)
    second = store.create("Burglary")
    store.rename(first.id, "Robbery,  again")
    assert [(one.name, one.turns, one.place, one.status) for one in store.list()] == [
        ("Robbery, again", 1, "Suva, Fiji", "localized"),
        ("Burglary", 0, "", None),
    ]
    assert {one.id for one in store.list()} == {first.id, second.id}
    assert CaseStore(store.root, "somebody new").list() == []


def test_a_name_cannot_steer_a_screen_and_is_needed(store):
    assert store.create("a\u202eb\x1b[2J").name == "a\\u202eb\\x1b[2J"
    assert len(store.create("x" * 1000).name) == 200
    assert store.create().name.startswith("Case of 20")
    with pytest.raises(InputError, match="a name for the case"):
        store.create("  \n")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"id": "half', "case.json"),
        (b"\x00\xff", "case.json"),
        (b"{}", "field required"),
        (None, "No such file"),
    ],
)
def test_a_damaged_case_hides_no_other_and_can_be_deleted(store, content, reason):
    whole, damaged = store.create("whole"), store.create("damaged")
    path = store.folder / damaged.id / "case.json"
    path.write_bytes(content) if content is not None else path.unlink()
    by_id = {one.id: one for one in store.list()}
    assert by_id[whole.id].damaged is None
    assert reason in by_id[damaged.id].damaged
    with pytest.raises(InputError, match="a case that can be read"):
        store.open(damaged.id)
    assert str(store.root) not in by_id[damaged.id].damaged  # where a server keeps cases is not for its users
    store.delete(damaged.id)
    assert [one.id for one in store.list()] == [whole.id]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("file", "photos/../../../../etc/passwd"),
        ("file", "/etc/passwd"),
        ("sha256", "../x"),
    ],
)
def test_a_case_that_leads_out_of_its_folder_is_refused(store, jpeg, key, value):
    case = store.add_photo(store.create().id, jpeg, "street.jpg")
    path = store.folder / case.id / "case.json"
    facts = json.loads(path.read_text())
    facts["photos"][0][key] = value
    path.write_text(json.dumps(facts))
    with pytest.raises(InputError, match=f"photos.0.{key}: string should match pattern"):
        store.open(case.id)


def test_a_case_of_a_newer_format_says_so(store):
    case = store.create()
    path = store.folder / case.id / "case.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(InputError, match="format: input should be 1"):
        store.open(case.id)


@pytest.mark.parametrize(
    "bad", ["", "..", "../x", "/etc", "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n", "0" * 31 + "/"]
)
def test_an_id_is_32_hexadecimal_digits_and_nothing_else(store, bad):
    store.create()
    for action in (store.open, store.delete, store.export, store.undo):
        with pytest.raises(InputError, match="the id of a case, 32 hexadecimal digits"):
            action(bad)
    with pytest.raises(InputError, match="32 hexadecimal digits"):
        store.rename(bad, "x")


def test_a_case_that_is_not_there_is_missed_in_words(store):
    for action in (store.open, store.delete, store.export, lambda one: store.rename(one, "x")):
        with pytest.raises(InputError, match=f"a case of yours; found none with the id {NOBODY}"):
            action(NOBODY)
    assert not (store.folder / NOBODY).exists()


@pytest.mark.parametrize("other", ["Alice@example.org", "alice@example.org ", "alice", "../alice@example.org", "local"])
def test_nobody_reaches_the_cases_of_another(store, jpeg, answer, other):
    alice, mallory = CaseStore(store.root, "alice@example.org"), CaseStore(store.root, other)
    case = finished(alice, answer)
    case = alice.add_photo(case.id, jpeg, "street.jpg")
    assert mallory.list() == []
    before = everything(store.root)
    attempts = [
        lambda: mallory.open(case.id),
        lambda: mallory.rename(case.id, "mine"),
        lambda: mallory.delete(case.id),
        lambda: mallory.export(case.id),
        lambda: mallory.add_photo(case.id, jpeg, "x.jpg"),
        lambda: mallory.begin_turn(case.id, Inquiry()),
        lambda: mallory.undo(case.id),
        lambda: mallory.photos(case),
        lambda: mallory.answer(case),
        lambda: mallory.checkpointer(case).__enter__(),
    ]
    for attempt in attempts:
        with pytest.raises(InputError):
            attempt()
    assert everything(store.root) == before
    assert not mallory.folder.exists()


def test_a_folder_moved_to_another_owner_stays_shut(store, answer):
    case = finished(CaseStore(store.root, "alice"), answer)
    mallory = CaseStore(store.root, "mallory")
    mallory.folder.mkdir()
    (CaseStore(store.root, "alice").folder / case.id).rename(mallory.folder / case.id)
    with pytest.raises(InputError, match=r"the case\.json of another case"):
        mallory.open(case.id)


def test_an_owner_has_a_name(store):
    with pytest.raises(InputError, match="Log in"):
        CaseStore(store.root, " ")


def test_deleting_leaves_the_id_in_the_audit_log_and_nothing_else(store, jpeg, answer, tmp_path):
    case = store.create("Robbery in Nadi")
    store.add_photo(case.id, jpeg, "bank.jpg")
    with store.checkpointer(store.open(case.id)):
        store.begin_turn(case.id, said("in Fiji"), "it is in Fiji", "in Fiji")
        store.finish_turn(case.id, 1, answer())
    other = store.create("Burglary")
    store.delete(case.id)
    left = everything(tmp_path)
    for trace in (b"Nadi", b"bank.jpg", b"Fiji", hashlib.sha256(jpeg).hexdigest().encode(), jpeg[:20]):
        assert trace not in left
    paths = [path.name for path in tmp_path.rglob("*")]
    assert case.id not in paths
    assert sorted(path.name for path in store.folder.iterdir()) == [other.id]
    log = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    last = log[-1]
    assert (last["event"], last["case"], last["reason"]) == ("case deleted", case.id, "asked for")


def test_a_deletion_that_was_killed_on_the_way_is_ended(store):
    gone, stays = store.create("gone"), store.create("stays")
    folder = store.folder / gone.id
    (folder / "case.json").rename(folder / "deleting")  # as after the first step of deleting
    assert [one.id for one in store.list()] == [stays.id]
    assert not folder.exists()


def test_a_creation_that_was_killed_is_cleared_away_when_it_is_old(store):
    store.create()
    fresh, old = store.folder / f".new-{NOBODY}", store.folder / f".new-{'1' * 32}"
    for folder in (fresh, old):
        folder.mkdir()
        (folder / "custody.jsonl").write_text("half")
    os.utime(old, (1e9, 1e9))
    assert len(store.list()) == 1
    assert fresh.exists()
    assert not old.exists()


def test_what_a_killed_process_had_half_written_goes_with_the_next_change(store):
    case = store.create()
    half = store.folder / case.id / "photos" / f".{'0' * 16}.part"
    half.write_bytes(b"half a photo")
    store.rename(case.id, "x")
    assert not half.exists()


def test_the_same_photo_twice_is_one(store, jpeg, png):
    case = store.create()
    store.add_photo(case.id, jpeg, "a.jpg")
    store.add_photo(case.id, png, "folder/../b.png", Edit(rotate_deg=90))
    case = store.add_photo(case.id, jpeg, "c.jpg")
    assert [(one.name, one.edit.rotate_deg) for one in case.photos] == [("a.jpg", 0), ("b.png", 90)]
    assert case.photos[1].file.endswith(".png")
    assert len(store.custody(case).events) == 3


def test_photos_come_as_they_were_edited_and_under_their_own_hash(store, jpeg, png):
    case = store.add_photo(store.create().id, jpeg, "a.jpg", Edit(rotate_deg=90))
    (photo,) = store.photos(case)
    assert photo.size == (40, 60)
    assert photo.sha256 == hashlib.sha256(jpeg).hexdigest()
    assert store.original(case) == jpeg
    with pytest.raises(InputError, match="a crop of at least"):  # it would keep the case from opening its photos
        store.add_photo(case.id, png, "b.png", Edit(crop=(0.0, 0.0, 0.1, 0.1)))
    assert store.open(case.id) == case
    with pytest.raises(InputError, match=r"found number 2\. The case has 1"):
        store.original(case, 1)


def test_what_is_no_photo_is_refused_and_leaves_no_trace(store, jpeg):
    case = store.create()
    before = everything(store.root)
    for content in (b"", b"%PDF-1.7", jpeg[: len(jpeg) // 2]):
        with pytest.raises(InputError, match="a photo"):
            store.add_photo(case.id, content, "x.jpg")
    assert everything(store.root) == before


def test_a_photo_that_was_changed_or_is_missing_is_noticed(store, jpeg, png):
    case = store.add_photo(store.create().id, jpeg, "a.jpg")
    path = store.folder / case.id / case.photos[0].file
    path.write_bytes(png)
    with pytest.raises(InputError, match="with other content: somebody changed it"):
        store.photos(case)
    path.unlink()
    with pytest.raises(InputError, match="No such file"):
        store.photos(case)


def test_an_answer_that_was_changed_is_noticed(store, answer):
    case = finished(store, answer)
    path = store.folder / case.id / "answers/0001.json"
    path.write_bytes(path.read_bytes().replace(b"Fiji", b"Fuji"))
    with pytest.raises(InputError, match="the answer as it was given"):
        store.answer(case)


def test_turns_are_numbered_and_answered_once(store, answer):
    case = store.create()
    with pytest.raises(InputError, match="a turn that has none yet"):
        store.answer(case)
    case = store.begin_turn(case.id, Inquiry())
    assert (case.turns[-1].number, case.turns[-1].finished) == (1, False)
    case = store.finish_turn(case.id, 1, answer())
    case = store.begin_turn(case.id, said("not Fiji"), "not Fiji", "It is not in Fiji")
    assert store.answer(case).entropy_bits == 3.0  # the last that there is
    with pytest.raises(InputError, match="a turn that has none yet"):
        store.answer(case, 2)
    case = store.finish_turn(case.id, 2, answer(entropy_bits=5.0))
    assert [store.answer(case, n).entropy_bits for n in (1, 2, -1)] == [3.0, 5.0, 5.0]
    assert case.inquiry == said("not Fiji")
    with pytest.raises(InputError, match="the answer of turn 2, which is there"):
        store.finish_turn(case.id, 2, answer())
    for number in (0, 3, -2):
        with pytest.raises(InputError, match=f"number {number}. The case has 2"):
            store.finish_turn(case.id, number, answer())


def test_undo_goes_back_step_by_step_and_keeps_all_turns(store):
    case = store.create()
    with pytest.raises(InputError, match="a change to take back"):
        store.undo(case.id)
    store.begin_turn(case.id, Inquiry())
    store.begin_turn(case.id, said("in Portugal"), "in Portugal")
    store.begin_turn(case.id, said("in Portugal", "not Lisbon"), "not Lisbon")
    store.begin_turn(case.id, said("in Portugal", "not Lisbon"), "compare with candidate 2")  # changes nothing
    for wanted in (said("in Portugal"), Inquiry()):
        inquiry = store.undo(case.id)
        assert inquiry == wanted
        case = store.begin_turn(case.id, inquiry, "undo", undo=True)
    with pytest.raises(InputError, match="a change to take back"):
        store.undo(case.id)
    assert len(case.turns) == 6
    store.begin_turn(case.id, said("in Spain"), "in Spain")
    assert store.undo(case.id) == Inquiry()


def test_another_language_is_no_change_to_take_back_and_stays(store):
    case = store.create()
    store.begin_turn(case.id, Inquiry())
    store.begin_turn(case.id, said("in Portugal"), "in Portugal")
    store.begin_turn(case.id, said("in Portugal").model_copy(update={"language": "zh"}), "compare with candidate 2")
    assert store.undo(case.id) == Inquiry(language="zh")
    store.begin_turn(case.id, Inquiry(language="zh"), "undo", undo=True)
    with pytest.raises(InputError, match="a change to take back"):
        store.undo(case.id)


def test_versions_and_settings_are_those_of_the_last_turn(store):
    settings = Settings(
        backends=Backends(prior="dir:/home/alice/secret case/model"), audit_log="/x", index="/maps/porto"
    )
    case = store.create("x", settings)
    assert case.versions["geosleuth"] == "0.1.0"
    assert {"python", "platform", "numpy", "opencv-python-headless", "onnxruntime"} <= set(case.versions)
    assert case.settings["backends"]["prior"] == "dir:model"
    assert case.settings["index"] == "a folder, withheld"
    assert not {"audit_log", "cache_dir", "cases_dir"} & set(case.settings)
    case = store.begin_turn(case.id, Inquiry(), settings=Settings(max_steps=7))
    assert case.settings["max_steps"] == 7
    assert store.custody(case).events[-1].details["settings"]["max_steps"] == 7
    case = store.begin_turn(case.id, Inquiry(), settings=Settings(max_steps=7))
    assert "settings" not in store.custody(case).events[-1].details  # nothing new


def test_a_cap_holds_for_answers_from_before_it(store, answer, tmp_path):
    case = finished(store, answer, city=SUVA)
    capped = CaseStore(store.root, precision_cap_km=50)
    seen = capped.answer(case)
    assert seen.city is None
    assert seen.radius_km == 50
    assert seen.precision_cap_km == 50
    assert seen.point.lat != -17.8
    assert [one.place for one in capped.list()] == ["Fiji"]
    assert store.answer(case).city.name == "Suva"


def test_under_a_cap_no_finer_answer_is_kept(tmp_path, answer):
    capped = CaseStore(tmp_path, precision_cap_km=50)
    case = finished(capped, answer, city=SUVA)
    assert b"Suva" not in everything(tmp_path)
    assert b"178.0," not in (capped.folder / case.id / "answers/0001.json").read_bytes()
    assert case.turns[0].precision_cap_km == 50
    assert capped.answer(case).point == store_point(capped, case)


def store_point(store, case):
    """The point as it lies on the disk: reading coarsens no second time."""
    return CaseStore(store.root).answer(case).point


def test_settings_open_the_store(tmp_path):
    settings = Settings(cases_dir=tmp_path, retention_days=30, precision_cap_km=5.0, audit_log=tmp_path / "a")
    store = CaseStore.of(settings, "alice")
    assert (store.root, store.owner, store.retention_days) == (tmp_path, "alice", 30)
    assert (store.precision_cap_km, store.audit_log) == (5.0, tmp_path / "a")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cases_dir"):
        CaseStore(tmp_path / "cases").create()


def test_a_full_disk_leaves_the_case_as_it_was(store, monkeypatch, jpeg):
    case = store.add_photo(store.create("Robbery").id, jpeg, "a.jpg")
    before = everything(store.root)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"No space left on device.*Free some space"):
        store.rename(case.id, "Burglary")
    with pytest.raises(InputError, match="No space left"):
        store.begin_turn(case.id, Inquiry())
    monkeypatch.undo()
    assert everything(store.root) == before
    assert store.open(case.id) == case


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "cases").write_text("x")
    with pytest.raises(InputError, match=r"a folder for cases that can be written.*cases_dir"):
        CaseStore(tmp_path / "cases").create()


def test_other_things_in_the_folder_are_no_cases(store):
    store.create("x")
    (store.folder / "notes.txt").write_text("mine")
    (store.folder / "backup").mkdir()
    summaries = store.list()
    assert [one.name for one in summaries] == ["x"]
    assert isinstance(summaries[0], CaseSummary)
