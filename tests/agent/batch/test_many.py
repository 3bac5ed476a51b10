import importlib.util
import json
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from geosleuth.agent.agent import Agent
from geosleuth.agent.batch import worker_process
from geosleuth.agent.settings import Backends, Settings
from geosleuth.indexes import decoder_process
from geosleuth.indexes.errors import InputError

spec = importlib.util.spec_from_file_location("batches", Path(__file__).with_name("batches.py"))
batches = sys.modules.setdefault("batches", importlib.util.module_from_spec(spec))
spec.loader.exec_module(batches)
draw, looked, quick = batches.draw, batches.looked, batches.quick

BAD_DECODER = Path(__file__).parents[2] / "indexes" / "bad_decoder.py"
scenes_spec = importlib.util.spec_from_file_location("scenes_of_batches", Path(__file__).parents[1] / "scenes.py")
SCENES = importlib.util.module_from_spec(scenes_spec)
scenes_spec.loader.exec_module(SCENES)


def test_each_photo_gets_one_row_and_what_cannot_be_read_a_row_with_its_three_parts(tmp_path, looks):
    folder = draw(tmp_path / "photos", "a.png", "b.png", "line\nbreak.png")
    (folder / "empty.jpg").touch()
    (folder / "notes.txt").write_text("no photo, and not listed")
    rows = {row.path.name: row for row in quick([folder, tmp_path / "gone.jpg"], workers=2)}
    assert sorted(rows) == ["a.png", "b.png", "empty.jpg", "gone.jpg", "line\nbreak.png"]
    assert "no such file" in rows["gone.jpg"].error.found
    assert (rows["gone.jpg"].sha256, rows["gone.jpg"].localization) == (None, None)
    assert "an empty file" in rows["empty.jpg"].error.found
    assert rows["a.png"].error is None
    assert rows["a.png"].localization.photo.sha256 == rows["a.png"].sha256
    assert rows["line\nbreak.png"].localization.photo.name == "line\\x0abreak.png"
    assert len(looked(looks)) == 3  # what cannot be read costs no worker


def test_equal_files_are_looked_at_once_and_have_a_row_each_under_their_own_names(tmp_path, looks):
    folder = draw(tmp_path / "photos", "a.png")
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes())
    rows = list(quick(folder))
    assert [row.localization.photo.name for row in rows] == ["a.png", "b.png"]
    assert [row.resumed for row in rows] == [False, True]
    assert looked(looks) == ["a.png"]


def test_a_second_run_takes_from_the_journal_what_is_the_same_and_looks_at_the_rest(tmp_path, looks):
    folder, out = draw(tmp_path / "photos", "a.png", "b.png"), tmp_path / "r.parquet"
    assert [row.resumed for row in quick(folder, out=out)] == [False, False]
    (folder / "a.png").rename(folder / "renamed.png")
    draw(folder, "c.png")
    again = {row.path.name: row.resumed for row in quick(folder, out=out)}
    assert again == {"b.png": True, "c.png": False, "renamed.png": True}
    assert looked(looks) == ["a.png", "b.png", "c.png"]
    list(quick(folder, out=out, hints={folder / "b.png": "in Portugal"}))  # of b.png alone the question is another
    assert looked(looks) == ["a.png", "b.png", "b.png", "c.png"]
    assert "in Portugal" in looks.read_text().splitlines()[-1]
    list(Agent(Settings(precision_cap_km=50.0)).localize_many(folder, out=out, workers=1))  # so of all
    assert len(looked(looks)) == 7
    list(quick(folder, out=out, resume=False))
    assert len(looked(looks)) == 10


def test_where_things_are_kept_decides_no_answer_and_a_recorded_prediction_goes_by_the_files_name(tmp_path, looks):
    from geosleuth.agent.batch.fingerprint import fingerprint, goes_by_name

    plain = fingerprint(Agent(Settings()))
    assert fingerprint(Agent(Settings(audit_log=tmp_path / "audit", retention_days=3))) == plain
    assert fingerprint(Agent(Settings(max_steps=3))) != plain
    assert fingerprint(Agent(Settings(), tools=SCENES.STUBS)) != plain
    table = tmp_path / "said.csv"
    table.write_text("model,source_file,predicted_country,predicted_city,lat,lon\nm,a.png,France,,,\n")
    recorded = Agent(Settings(backends=Backends(prior=f"file:{table}")))
    assert goes_by_name(recorded)
    before = fingerprint(recorded)
    table.write_text(table.read_text().replace("France", "Spain"))
    assert fingerprint(recorded) != before
    folder = draw(tmp_path / "photos", "a.png")
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes())
    list(recorded.localize_many(folder, workers=1))
    assert looked(looks) == ["a.png", "b.png"]


def test_a_worker_that_is_killed_is_replaced_and_its_photo_is_tried_once_more(tmp_path, looks):
    folder = draw(tmp_path / "photos", "a.png", "deadly.png", "once.png", "z.png")
    batch = quick(folder, workers=1, out=tmp_path / "r.csv")
    rows = {row.path.name: row for row in batch}
    assert [name for name in rows if rows[name].error is None] == ["a.png", "once.png", "z.png"]
    assert "died of it 2 times, signal 9" in rows["deadly.png"].error.found
    assert looked(looks) == ["a.png", "deadly.png", "deadly.png", "once.png", "once.png", "z.png"]
    rows = list(quick(folder, workers=1, out=tmp_path / "r.csv"))  # such an end may have been chance
    assert [row.path.name for row in rows if not row.resumed] == ["deadly.png"]


def test_no_log_of_a_worker_that_dies_has_a_path_or_an_errors_words(tmp_path, looks, capfd, caplog):
    folder = draw(tmp_path / "witness", "faulty.png")
    (row,) = quick(folder, hints={tmp_path / "witness" / "other.png": "PT"})
    assert "a worker that died of it 2 times, exit code 1" in row.error.found
    said = capfd.readouterr().err
    assert said.count("A worker ends by a fault of geosleuth\nTraceback") == 2
    assert said.count("ValueError (--verbose has its words)\n") == 2
    assert "A worker died over a photo (exit code 1)" in caplog.text
    assert "Hints for 1 photos that are none of this batch" in caplog.text
    for log in (said.replace('raise ValueError(f"a fault over {path}")', ""), caplog.text):
        assert [word for word in ("witness", ".png", "a fault over") if word in log] == []


def test_a_photo_that_lies_is_turned(tmp_path):
    street = Image.open(Path(__file__).parents[3] / "docs" / "match.jpg")
    street.transpose(Image.Transpose.ROTATE_180).save(tmp_path / "street.png")
    (row,) = Agent(Settings(), tools=SCENES.STUBS).localize_many(tmp_path / "street.png")
    assert row.localization.photo.edits == ("rotated by 180 degrees",)


def test_a_fault_over_a_photo_is_logged_by_its_type_alone(tmp_path, caplog):
    folder = draw(tmp_path / "witness", "a.png")
    agent = Agent(Settings(), tools=SCENES.STUBS)

    def faulty(*_):
        raise ValueError("a sign says FARMACIA")

    agent.localize = faulty
    (row,) = agent.localize_many(folder)
    assert "a fault of geosleuth, ValueError: a sign says FARMACIA" in row.error.found
    assert "A fault of geosleuth over a photo: ValueError" in caplog.text
    assert [word for word in ("witness", "a.png", "FARMACIA") if word in caplog.text] == []


@pytest.mark.parametrize("here", [False, True])
def test_a_photo_that_kills_its_decoder_costs_no_worker(tmp_path, looks, monkeypatch, here):
    monkeypatch.setenv("BEGUN", str(tmp_path / "begun"))
    monkeypatch.setattr(decoder_process, "_PROGRAM", (str(BAD_DECODER),))
    folder = draw(tmp_path / "photos", "a.png", "kills.png", "z.png")
    batch = Agent(Settings(), tools=SCENES.STUBS).localize_many(folder) if here else quick(folder)
    rows, pids = {}, set()
    for row in batch:
        rows[row.path.name] = row
        pids |= set(batch._crew.pids)
    assert [name for name in rows if rows[name].error is None] == ["a.png", "z.png"]
    assert "found one that the decoder died of 2 times, signal 9: kills.png" in str(rows["kills.png"].error)
    assert len(pids) == (0 if here else 1)  # the worker that began has ended the batch
    decoders = {line.split()[1] for line in (tmp_path / "begun").read_text().splitlines()}
    assert len(decoders) == (3 if here else 2)  # two of them killed; here one more, for the next photo
    limit = time.monotonic() + 600  # of a starved machine
    while any(map(alive, decoders)):
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_a_later_run_looks_again_at_a_photo_that_its_decoder_died_of(tmp_path, looks, monkeypatch):
    monkeypatch.setenv("BEGUN", str(tmp_path / "begun"))
    folder, out = draw(tmp_path / "photos", "kills.png"), tmp_path / "r.csv"
    found = {row.path.name: row.error.found for row in quick(folder, out=out)}
    assert "signal 9" in found["kills.png"]
    (folder / "kills.png").rename(folder / "good.png")  # as on a machine with memory enough
    again = {row.path.name: row for row in quick(folder, out=out)}
    assert not again["good.png"].resumed
    assert again["good.png"].localization is not None


@pytest.mark.parametrize("program", [("-c", "raise SystemExit(7)"), None])
def test_where_no_decoder_starts_the_batch_ends_and_blames_no_photo(tmp_path, monkeypatch, program):
    if program is None:
        monkeypatch.setattr(sys, "executable", "/no/such/python")
    else:
        monkeypatch.setattr(decoder_process, "_PROGRAM", program)
    folder, out = draw(tmp_path / "photos", "a.png"), tmp_path / "r.csv"
    agent = Agent(Settings(), tools=SCENES.STUBS)  # which looks in this process
    with pytest.raises(InputError, match=r"Wanted a process that decodes photos; found (none|one that ended before)"):
        list(agent.localize_many(folder, out=out))
    monkeypatch.undo()
    (row,) = agent.localize_many(folder, out=out)
    assert row.localization is not None
    assert not row.resumed


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_that_hangs_is_ended(tmp_path, looks, monkeypatch):
    monkeypatch.setattr(worker_process, "PATIENCE", 1)
    folder = draw(tmp_path / "photos", "a.png")
    (row,) = Agent(Settings(max_seconds=0.01)).localize_many(folder, workers=1)  # a photo takes 0.02 s
    assert "Wanted an answer within 0 s; found a worker that was still at it:" in str(row.error)
    assert looked(looks) in ([], ["a.png"])  # and not tried again: it would only take as long once more


def test_workers_that_cannot_start_end_the_batch_and_not_each_photo(tmp_path, looks, monkeypatch):
    monkeypatch.setattr(worker_process, "_PROGRAM", ("-c", "raise SystemExit(7)"))
    folder = draw(tmp_path / "photos", "a.png", "b.png")
    with pytest.raises(InputError, match=r"2 that ended before they began, exit code 7"):
        list(quick(folder))


def test_a_generator_is_read_no_further_than_the_workers_need(tmp_path, looks):
    folder = draw(tmp_path / "photos", *(f"{i:02d}.png" for i in range(20)))
    asked = []

    def paths():
        for path in sorted(folder.iterdir()):
            asked.append(path)
            yield path

    with quick(paths(), workers=1) as batch:
        next(batch)
        assert len(asked) <= 3  # one is done, one is being looked at, one waits
    assert len(list(batch)) == 0


def test_a_batch_that_is_left_writes_its_rows_and_ends_its_workers(tmp_path, looks):
    import geopandas

    folder = draw(tmp_path / "photos", *(f"{i:02d}.png" for i in range(20)))
    with quick(folder, out=tmp_path / "r.parquet") as batch:
        first = next(batch)
        pids = batch._crew.pids
    assert pids
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    table = geopandas.read_parquet(tmp_path / "r.parquet")
    assert str(first.path) in list(table["file"])
    assert len(table) < 20


def test_an_interrupted_second_run_leaves_the_finished_table_as_it_is(tmp_path, looks, caplog):
    folder, out = draw(tmp_path / "photos", *(f"{i}.png" for i in range(6))), tmp_path / "r.csv"
    list(quick(folder, out=out))
    finished = out.read_bytes()
    assert finished.count(b"\r\n") == 7
    with quick(folder, out=out) as batch:
        next(batch)
    assert out.read_bytes() == finished
    assert "is left as the run before wrote it" in caplog.text
    draw(folder, "6.png")
    list(quick(folder, out=out))
    assert out.read_bytes().count(b"\r\n") == 8


def test_the_table_is_in_the_order_of_the_listing_with_points_and_failures(tmp_path, looks):
    import geopandas

    folder = draw(tmp_path / "photos", "c.png", "a.png")
    (folder / "b.png").touch()
    frame = quick(folder, out=tmp_path / "r.parquet").to_geodataframe()
    assert [Path(file).name for file in frame["file"]] == ["a.png", "b.png", "c.png"]
    assert list(frame["status"]) == ["localized", "failed", "localized"]
    assert (frame.geometry[0].x, frame.geometry[0].y) == (178.0, -17.8)  # (lon, lat) of the answer in answers.py
    assert frame.geometry[1] is None
    assert "an empty file" in frame["error"][1]
    assert frame.crs == "EPSG:4326"
    read = geopandas.read_parquet(tmp_path / "r.parquet")
    assert list(read.columns) == list(frame.columns)
    assert read["city"].dtype == frame["city"].dtype  # a column of nothing keeps its type


@pytest.mark.parametrize("form", ["csv", "geojson"])
def test_csv_and_geojson_hold_the_same_rows(tmp_path, looks, form):
    import geopandas
    import pandas

    folder = draw(tmp_path / "photos", "a.png")
    (folder / "b.png").touch()
    out = tmp_path / f"r.{form}"
    list(quick(folder, out=out))
    table = pandas.read_csv(out) if form == "csv" else geopandas.read_file(out)
    assert list(table["status"]) == ["localized", "failed"]
    assert table["country_code"][0] == "FJ"
    if form == "geojson":
        features = json.loads(out.read_text())["features"]
        assert features[0]["geometry"]["coordinates"] == [178.0, -17.8]
        assert features[1]["geometry"] is None


def test_no_photos_make_an_empty_table(tmp_path, looks):
    frame = quick([]).to_geodataframe()
    assert len(frame) == 0
    assert {"file", "lat", "geometry"} <= set(frame.columns)


def test_two_batches_do_not_write_one_output(tmp_path, looks):
    folder, out = draw(tmp_path / "photos", "a.png"), tmp_path / "r.parquet"
    with quick(folder, out=out), pytest.raises(InputError, match="a batch at work"):
        quick(folder, out=out)
    assert len(list(quick(folder, out=out))) == 1


def test_outputs_that_cannot_be_are_refused_at_once(tmp_path, looks):
    folder = draw(tmp_path / "photos", "a.png")
    for name in ("r.xlsx", "r"):
        with pytest.raises(InputError, match=r"\.parquet, \.csv"):
            quick(folder, out=tmp_path / name)
    (tmp_path / "theirs.csv").write_text("precious")
    with pytest.raises(InputError, match="without its"):
        quick(folder, out=tmp_path / "theirs.csv")
    (tmp_path / "theirs.csv.journal").write_text("this is no journal, and long enough to be told from an empty one" * 9)
    with pytest.raises(InputError, match="journal that can be used"):
        quick(folder, out=tmp_path / "theirs.csv")
    assert (tmp_path / "theirs.csv").read_text() == "precious"


def test_hints_and_workers_are_checked_before_any_photo(tmp_path, looks):
    folder = draw(tmp_path / "photos", "a.png")
    with pytest.raises(InputError, match="a hint about the place"):
        quick(folder, hints={folder / "a.png": ["in Portugal", "in Xyzzyland"]})
    with pytest.raises(InputError, match="above 0"):
        quick(folder, workers=0)
    assert looked(looks) == []


def test_models_of_weights_have_one_worker_and_stay_where_they_are_loaded():
    from geosleuth.agent.batch.crew import Crew, default_workers
    from geosleuth.indexes.encoders.parallel import core_count

    def workers(**backends):
        return default_workers(Settings(backends=Backends(**backends)))

    assert workers(prior="geoclip") == workers(planner="hf:a/b") == workers(retrieval="timm:x") == 1
    assert workers(prior="openai:m@http://127.0.0.1:9/v1") == workers() <= core_count()
    agent = Agent(Settings(backends=Backends(prior="hf:a/b")))
    assert not Crew(agent, None).in_process
    agent._models._shared["hf:a/b"] = object()
    assert Crew(agent, None).in_process


def test_an_agent_of_objects_works_in_this_process(tmp_path):
    folder, log = draw(tmp_path / "photos", "a.png", "b.png"), tmp_path / "audit"
    agent = Agent(Settings(audit_log=log, precision_cap_km=2000.0), tools=SCENES.STUBS)
    with pytest.raises(InputError, match="was given objects"):
        agent.localize_many(folder, workers=2)
    batch = agent.localize_many(folder, out=tmp_path / "r.csv")
    rows = list(batch)
    assert batch._crew.pids == []
    assert [row.localization.precision_cap_km for row in rows] == [2000.0, 2000.0]
    assert [json.loads(line)["sha256"] for line in log.read_text().splitlines()] == [row.sha256 for row in rows]


def test_a_real_worker_answers_as_this_process_does_with_cap_and_audit_log(tmp_path):
    folder = tmp_path / "photos"
    draw(folder, "a.png")
    settings = Settings(audit_log=tmp_path / "audit", precision_cap_km=300.0)
    (row,) = Agent(settings).localize_many(folder, workers=1, hints="in Portugal")
    here = Agent(settings).localize(folder / "a.png", "in Portugal")
    assert row.localization.country == here.country
    assert row.localization.point == here.point
    assert row.localization.precision_cap_km == 300.0
    assert row.localization.radius_km >= 300.0
    assert len((tmp_path / "audit").read_text().splitlines()) == 2
    assert "300.0" in row.as_table_row()["precision_cap_km"].__repr__()


def test_settings_that_no_worker_can_use_end_the_batch_and_keep_what_is_done(tmp_path, looks):
    folder, out = draw(tmp_path / "photos", "a.png", "unusable.png", "z.png"), tmp_path / "r.csv"
    with pytest.raises(InputError, match="Wanted an audit log; found a full disk"):
        list(quick(folder, out=out))
    (folder / "unusable.png").unlink()
    assert [row.resumed for row in quick(folder, out=out)] == [True, False]


def test_results_go_to_no_folder_that_a_slip_of_the_pen_has_named(tmp_path):
    folder = draw(tmp_path / "photos", "a.png")
    with pytest.raises(InputError, match="Wanted a folder for the results; found no such folder"):
        list(Agent(Settings()).localize_many(folder, out=tmp_path / "reslts" / "r.csv"))
    assert not (tmp_path / "reslts").exists()
