import hashlib
import hmac
import json

import pytest

from geosleuth.agent.cases.custody import append_event, verify_chain, word_hash
from geosleuth.agent.inquiry import Hint, Inquiry
from geosleuth.indexes.photo_edit import Edit


def written(tmp_path, count=4):
    path = tmp_path / "custody.jsonl"
    for number in range(count):
        known, head = append_event(path, "asked", {"turn": number + 1})
    return path, known, head


def test_each_line_holds_the_hash_of_the_one_before(tmp_path):
    path, known, head = written(tmp_path, 3)
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""  # the last line ends as all do
    entries = [json.loads(line) for line in lines]
    assert [one["number"] for one in entries] == [1, 2, 3]
    assert entries[0]["previous"] == "0" * 64
    assert entries[1]["previous"] == hashlib.sha256(lines[0]).hexdigest()
    assert entries[2]["previous"] == hashlib.sha256(lines[1]).hexdigest()
    assert (known, head) == (3, hashlib.sha256(lines[2]).hexdigest())
    assert entries[0]["at"].endswith("+00:00")  # UTC
    assert verify_chain(lines, known, head) is None
    assert verify_chain(lines[:2]) is None  # nobody noted that there was a third


def changed(lines):
    lines[1] = lines[1].replace(b'"turn": 2', b'"turn": 7')


def unreadable(lines):
    lines[2] = b"{"


def removed(lines):
    del lines[1]


def swapped(lines):
    lines[1], lines[2] = lines[2], lines[1]


def shortened(lines):
    del lines[2:]


def emptied(lines):
    lines.clear()


def last_changed(lines):
    lines[3] = lines[3].replace(b'"turn": 4', b'"turn": 7')


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (changed, "line 3 does not follow line 2: one of them was changed"),
        (unreadable, "line 3 cannot be read"),
        (removed, "line 2 calls itself line 3"),
        (swapped, "line 2 calls itself line 3"),
        (shortened, "line 3 is missing: there were 4"),
        (emptied, "line 1 is missing: there were 4"),
        (last_changed, "line 4 is not the one that was noted"),
    ],
)
def test_tampering_names_the_line(tmp_path, tamper, found):
    path, known, head = written(tmp_path)
    lines = path.read_bytes().splitlines()
    tamper(lines)
    assert verify_chain(lines, known, head).startswith(found)


def test_a_line_more_than_was_noted_is_a_process_that_was_killed(tmp_path):
    path, known, head = written(tmp_path)
    append_event(path, "asked", {})
    assert verify_chain(path.read_bytes().splitlines(), known, head) is None


def test_the_chain_tells_all_that_happened(store, jpeg, answer):
    case = store.create("Robbery")
    store.add_photo(case.id, jpeg, "bank.jpg")
    store.begin_turn(
        case.id, Inquiry(statements=(Hint(text="near the Grand Pacific Hotel"),)), "near the Grand Pacific"
    )
    case = store.finish_turn(case.id, 1, answer(backends={"reading": "embedded", "prior": "dir:/home/alice/porto/net"}))
    case = store.rename(case.id, "Burglary")
    custody = store.custody(case)
    assert [one.event for one in custody.events] == ["created", "photo added", "asked", "answered", "renamed"]
    added, asked, answered = custody.events[1:4]
    sha256 = hashlib.sha256(jpeg).hexdigest()
    assert added.details["sha256"] == sha256 == custody.photos[0].sha256
    assert added.details["bytes"] == len(jpeg)
    assert asked.details["photos"] == [{"sha256": sha256, "edit": Edit().model_dump()}]
    kept = (store.folder / case.id / "answers/0001.json").read_bytes()
    assert answered.details["sha256"] == hashlib.sha256(kept).hexdigest()
    assert answered.details["weights"] == {"reading": "embedded", "prior": "dir:net"} == custody.weights
    text = (store.folder / case.id / "custody.jsonl").read_text()
    assert "Pacific" not in text  # what was said is proven by its hash, and stands in case.json alone
    assert "alice" not in text
    assert "bank.jpg" not in text
    assert "Burglary" not in text
    hashed = hmac.new(bytes.fromhex(case.salt), b"bank.jpg", "sha256").hexdigest()
    assert added.details["name"] == hashed == word_hash(case.salt, "bank.jpg")
    assert custody.events[-1].details == {"name": word_hash(case.salt, "Burglary")}
    words = case.turns[0].model_dump_json(include={"number", "said", "understood", "inquiry"})
    assert asked.details["hmac"] == word_hash(case.salt, words)  # who has the salt can prove what was asked
    assert custody.broken is None
    assert custody.head == case.custody_head
    assert (custody.owner, custody.versions, custody.case_id) == ("local", case.versions, case.id)


def test_a_report_says_where_the_chain_broke_and_shows_the_rest(store, jpeg):
    case = store.add_photo(store.create("Robbery").id, jpeg, "bank.jpg")
    path = store.folder / case.id / "custody.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"bytes": ', b'"bytes": 1'))
    custody = store.custody(case)
    assert custody.broken == "line 2 is not the one that was noted: it was changed"
    assert len(custody.events) == 2
    path.unlink()
    assert store.custody(case).broken == "line 1 is missing: there were 2"
    assert store.open(case.id) == case  # the investigator can go on working, and the chain stays broken
    assert store.custody(store.rename(case.id, "x")).broken is not None


def test_a_photo_that_nobody_added_is_noticed(store, jpeg, png):
    store.add_photo(store.create().id, jpeg, "a.jpg")
    case = store.add_photo(store.list()[0].id, png, "b.png")
    forged = case.model_copy(
        update={"photos": (case.photos[0], case.photos[1].model_copy(update={"sha256": "f" * 64}))}
    )
    assert store.custody(forged).broken == f"no line tells of photo {'f' * 64}"


def test_what_was_asked_is_not_found_by_trying_words(store):
    """The same words in two cases leave no equal mark, so that no list of place names can be tried on a chain."""
    chains = []
    for _ in "ab":
        case = store.create()
        store.begin_turn(case.id, Inquiry(statements=(Hint(text="near Sintra"),)), "near Sintra")
        store.rename(case.id, "Sintra again")
        chains.append([one.details for one in store.custody(store.open(case.id)).events[1:]])
    assert chains[0][0]["hmac"] != chains[1][0]["hmac"]
    assert chains[0][1]["name"] != chains[1][1]["name"]
