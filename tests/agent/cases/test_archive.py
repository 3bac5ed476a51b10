import hashlib
import io
import json
import subprocess
import sys
import textwrap
import zipfile

import pytest

from geosleuth.agent.cases.case import Case
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.inquiry import Hint, Inquiry
from geosleuth.agent.localization import Localization
from geosleuth.indexes.errors import InputError

SUVA = {"name": "Suva", "country": "FJ", "lat": -18.14, "lon": 178.44, "probability": 0.8}


@pytest.fixture
def case(store, jpeg, answer):
    case = store.create("Robbery")
    store.add_photo(case.id, jpeg, "bank.jpg")
    store.begin_turn(case.id, Inquiry(statements=(Hint(text="near Thomson Park"),)), "near Thomson Park", "in a park")
    return store.finish_turn(case.id, 1, answer(city=SUVA))


def opened(content):
    return zipfile.ZipFile(io.BytesIO(content))


def test_an_export_holds_the_very_bytes(store, case, jpeg):
    bundle = opened(store.export(case.id, originals=True))
    sha256 = hashlib.sha256(jpeg).hexdigest()
    assert sorted(bundle.namelist()) == [
        "README.txt",
        "answers/0001.json",
        "case.json",
        "custody.jsonl",
        f"photos/{sha256}.jpg",
    ]
    assert bundle.read(f"photos/{sha256}.jpg") == jpeg
    assert bundle.read("answers/0001.json") == (store.folder / case.id / "answers/0001.json").read_bytes()
    assert Case.model_validate_json(bundle.read("case.json")) == store.open(case.id)
    last = json.loads(bundle.read("custody.jsonl").splitlines()[-1])
    assert (last["event"], last["details"]) == ("exported", {"photos": True})


def test_the_photos_stay_out_unless_they_are_asked_for(store, case, jpeg):
    bundle = opened(store.export(case.id))
    assert sorted(bundle.namelist()) == ["README.txt", "answers/0001.json", "case.json", "custody.jsonl"]
    assert jpeg[:20] not in b"".join(bundle.read(name) for name in bundle.namelist())
    assert hashlib.sha256(jpeg).hexdigest().encode() in bundle.read("case.json")
    assert "The photos are left out" in bundle.read("README.txt").decode()
    last = json.loads(bundle.read("custody.jsonl").splitlines()[-1])
    assert (last["event"], last["details"]) == ("exported", {"photos": False})


def test_the_readme_tells_how_to_check_it_and_its_program_does(store, case, tmp_path):
    bundle = opened(store.export(case.id))
    bundle.extractall(tmp_path / "out")
    readme = bundle.read("README.txt").decode()
    program = textwrap.dedent(readme[readme.index("    import hashlib") :])
    check = [sys.executable, "-c", program]
    run = subprocess.run(check, cwd=tmp_path / "out", capture_output=True, text=True, check=True)
    assert run.stdout.strip() == store.open(case.id).custody_head
    assert run.stdout.strip() in readme
    path = tmp_path / "out" / "custody.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"bytes": ', b'"bytes": 1'))
    assert subprocess.run(check, cwd=tmp_path / "out", capture_output=True).returncode != 0


def test_under_a_cap_nothing_that_goes_out_is_finer(store, case, jpeg):
    bundle = opened(CaseStore(store.root, precision_cap_km=50).export(case.id, originals=True))
    assert sorted(bundle.namelist()) == ["README.txt", "answers/0001.json", "case.json", "custody.jsonl"]
    whole = b"".join(bundle.read(name) for name in bundle.namelist())
    for fine in (b"Suva", b"Thomson", b"in a park", jpeg[:20]):
        assert fine not in whole
    answer = Localization.model_validate_json(bundle.read("answers/0001.json"))
    assert (answer.precision_cap_km, answer.radius_km) == (50, 50)
    assert hashlib.sha256(jpeg).hexdigest().encode() in bundle.read("case.json")
    assert "coarsened to 50 km" in bundle.read("README.txt").decode()
    assert "photos are left out" in " ".join(bundle.read("README.txt").decode().split())


@pytest.mark.parametrize("when", ["before the answer", "after the answer"])
def test_under_a_cap_no_name_and_no_salt_goes_out(tmp_path, jpeg, answer, when):
    free, capped = CaseStore(tmp_path), CaseStore(tmp_path, precision_cap_km=50)
    store = capped if when == "before the answer" else free
    case = store.create("Sintra again")
    case = store.add_photo(case.id, jpeg, "sintra_house.png")
    store.rename(case.id, "Sintra, once more")
    store.begin_turn(case.id, Inquiry(), "near Sintra")
    facts = {"name": "sintra_house.png", "sha256": case.photos[0].sha256, "size": [60, 40]}
    store.finish_turn(case.id, 1, answer(photo=facts, photos=[facts]))
    bundle = opened(capped.export(case.id, originals=True))
    whole = b"".join(bundle.read(name) for name in bundle.namelist())
    assert not [name for name in bundle.namelist() if name.startswith("photos/")]
    assert b"sintra" not in whole.lower()
    assert case.salt.encode() not in whole
    sent = Case.model_validate_json(bundle.read("case.json"))
    assert (sent.name, sent.salt, [one.name for one in sent.photos]) == (f"Case {case.id[:8]}", "", ["photo-1"])
    (event,) = [one for one in map(json.loads, bundle.read("custody.jsonl").splitlines()) if one["event"] == "answered"]
    kept = hashlib.sha256(bundle.read("answers/0001.json")).hexdigest() == event["details"]["sha256"]
    assert kept == (when == "before the answer")  # the README says that one of before the cap is another file
    custody = capped.custody(capped.open(case.id))
    assert "sintra" not in custody.model_dump_json().lower()  # a report shows it
    assert custody.broken is None
    assert [one.name for one in free.open(case.id).photos] == ["sintra_house.png"]  # the investigator's own stays


def test_a_photo_that_was_changed_is_not_passed_on(store, case, png):
    (store.folder / case.id / case.photos[0].file).write_bytes(png)
    with pytest.raises(InputError, match="somebody changed it"):
        store.export(case.id, originals=True)
    assert store.custody(store.open(case.id)).events[-1].event == "answered"  # nothing was exported
