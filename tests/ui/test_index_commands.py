import hashlib
import importlib.util
import json
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from geosleuth.indexes.gallery.reference import VIEWS
from geosleuth.indexes.gallery.sources.open import KINDS
from geosleuth.ui import cli
from geosleuth.ui.index_commands import KindName, ViewName
from geosleuth.ui.index_info import IndexInfo, ProblemInfo, SourceInfo, info_report

spec = importlib.util.spec_from_file_location("galleries", Path(__file__).parents[1] / "agent" / "galleries.py")
galleries = sys.modules.setdefault("galleries", importlib.util.module_from_spec(spec))
spec.loader.exec_module(galleries)


def run(*arguments: object):
    return CliRunner().invoke(cli.app, [str(a) for a in arguments])


def done(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def photo(path: Path, pixels, position: tuple[float, float] | None) -> Path:
    exif = Image.Exif()
    if position is not None:
        degrees = [(int(v), int(v % 1 * 60), v * 60 % 1 * 60) for v in map(abs, position)]
        exif[0x8825] = {1: "N", 2: degrees[0], 3: "E", 4: degrees[1]}  # the GPS block
    Image.fromarray(pixels).save(path, quality=92, exif=exif)
    return path


def sha8(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def walk(folder: Path, seeds: range) -> Path:
    """Photos of a street in Lund, 33 m from each other, with their positions in EXIF."""
    folder.mkdir()
    for seed in seeds:
        photo(folder / f"{seed}.jpg", galleries.place(seed), (55.7 + 0.0003 * (seed - 100), 13.19))
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """An index of six photos, one without a position and one that is there twice."""
    folder = tmp_path_factory.mktemp("index")
    photos = walk(folder / "photos", range(100, 106))
    photo(photos / "nowhere.jpg", galleries.place(200), None)
    (photos / "copy.jpg").write_bytes((photos / "100.jpg").read_bytes())
    said = done("index", "build", photos, "--out", folder / "index")
    assert f"{folder / 'index'}: 6 references, from 8 images in " in said
    assert "1 skipped: no position" in said
    assert "1 left out: the same image at the same place is there" in said
    return folder / "index"


def test_the_commands_list_the_views_and_kinds_that_there_are():
    assert tuple(ViewName) == VIEWS
    assert tuple(KindName) == KINDS


def test_what_is_there_already_is_said_of_a_repeated_add(built, tmp_path):
    import shutil

    index = tmp_path / "index"
    shutil.copytree(built, index)
    result = run("index", "add", built.parent / "photos", index)
    assert result.exit_code == 0, result.stderr
    assert "there already: added from this source before" in result.stdout
    assert "skipped" not in result.stderr


@pytest.mark.parametrize("verbose", [False, True])
def test_a_column_cannot_steer_the_terminal_through_the_log(capsys, verbose):
    import logging

    from geosleuth.ui.shell import logs_to_stderr

    with logs_to_stderr(verbose=verbose):
        logging.getLogger("geosleuth.indexes").warning("the column %s", "\x1b[2Jlat\nforged line")
        try:
            raise OSError("\x1b[2J")
        except OSError:
            logging.getLogger("geosleuth.indexes").warning("left out", exc_info=True)
    said = capsys.readouterr().err
    assert "\x1b" not in said
    named = "geosleuth.indexes: " if verbose else ""
    assert said.startswith(f"{named}the column \\x1b[2Jlat\\nforged line\n{named}left out\nTraceback")
    assert said.endswith("OSError: \\x1b[2J\n" if verbose else "OSError (--verbose has its words)\n")


def test_progress_goes_to_stderr_and_the_result_to_stdout(tmp_path):
    photos = walk(tmp_path / "photos", range(100, 103))
    result = run("index", "build", photos, "--out", tmp_path / "index")
    assert "encoding 3 of 3 (100%)" in result.stderr
    assert "\r" not in result.stderr  # no terminal here: whole lines
    assert result.stdout.count("\n") == 1


def test_info_says_what_is_there(built):
    info = json.loads(done("index", "info", built, "--json"))
    assert info["references"] == 6
    assert info["views"] == {"ground": 6}
    assert info["countries"] == {"SE": 6}
    assert info["index_type"] == "flat"
    assert info["problem_counts"] == {"skipped": 1, "duplicate": 1}
    assert {problem["uri"] for problem in info["problems"]} <= {"nowhere.jpg", "copy.jpg", "100.jpg"}
    assert info["bytes_on_disk"] == sum(p.stat().st_size for p in built.rglob("*") if p.is_file())
    text = done("index", "info", built)
    assert "references 6 (ground 6), " in text
    assert "countries  SE 6\n" in text
    assert "search     flat: " in text
    assert "skipped: nowhere.jpg: " in text


def test_more_is_added_and_what_is_there_is_not_doubled(built, tmp_path):
    import shutil

    index = tmp_path / "index"
    shutil.copytree(built, index)
    said = done("index", "add", walk(tmp_path / "more", range(103, 109)), index)
    assert f"{index}: 9 references, 3 of them new, from 6 images in " in said
    assert "3 left out: the same image at the same place is there" in said
    assert len(json.loads(done("index", "info", index, "--json"))["sources"]) == 2


def test_a_sound_index_is_whole_and_a_flipped_byte_is_named(built, tmp_path):
    import shutil

    assert done("index", "verify", built).startswith(f"{built}: whole: 6 references, ")
    broken = tmp_path / "index"
    shutil.copytree(built, broken)
    vectors = next(broken.glob("vectors-*.npy"))
    content = bytearray(vectors.read_bytes())
    content[-7] ^= 1
    vectors.write_bytes(bytes(content))
    result = run("index", "verify", broken)
    assert result.exit_code == 2
    assert result.stdout.startswith(f"{broken}: DAMAGED\n  {vectors.name}: ")
    assert json.loads(run("index", "verify", broken, "--json").stdout)["ok"] is False
    opened = run("localize", photo(tmp_path / "a.jpg", galleries.place(1), None), "--index", broken)
    assert opened.exit_code == 2
    assert opened.stdout == ""
    assert [line.split(":")[0] for line in opened.stderr.splitlines()] == ["Wanted", "Found", "Do"]
    assert vectors.name in opened.stderr


def test_a_photo_is_found_and_its_match_drawn(built, tmp_path):
    query = photo(tmp_path / "query.jpg", galleries.place(103, shift=20), None)
    result = run("localize", query, "--index", built, "--pictures", tmp_path / "matches")
    assert result.exit_code == 0, result.stderr
    drawn = tmp_path / "matches" / f"query-{sha8(query)}-match-1-103.jpg"
    assert f"Match drawn into {drawn}\n" in result.stderr
    assert drawn.is_file()
    assert "Sweden" in result.stdout
    row = next(line for line in result.stdout.splitlines() if "103.jpg" in line and line.startswith("match"))
    assert row.split()[:2] == ["match", "0"]  # metres


def test_pictures_of_an_earlier_run_on_this_photo_go_and_those_of_others_stay(built, tmp_path):
    query = photo(tmp_path / "query.jpg", galleries.place(103, shift=20), None)
    matches = tmp_path / "matches"
    matches.mkdir()
    stale = matches / f"query-{sha8(query)}-match-2-gone.jpg"
    other = matches / "query-00000000-match-1-gone.jpg"  # another photo of the same name
    stale.touch()
    other.touch()
    done("localize", query, "--index", built, "--pictures", matches, "--json")
    assert {path.name for path in matches.iterdir()} == {f"query-{sha8(query)}-match-1-103.jpg", other.name}


def test_a_reference_that_is_gone_when_it_is_drawn_does_not_cost_the_answer(built, tmp_path, monkeypatch):
    import shutil

    from geosleuth.agent.agent import Agent

    shutil.copytree(built.parent / "photos", tmp_path / "photos")
    done("index", "build", tmp_path / "photos", "--out", tmp_path / "index")
    query = photo(tmp_path / "query.jpg", galleries.place(103, shift=20), None)
    whole = Agent.stream

    def localized_and_then_unmounted(*arguments, **stated):
        for step in whole(*arguments, **stated):
            if step.localization is not None:
                shutil.rmtree(tmp_path / "photos")
            yield step

    monkeypatch.setattr(Agent, "stream", localized_and_then_unmounted)
    result = run("localize", query, "--index", tmp_path / "index", "--pictures", tmp_path / "matches", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["candidates"][0]["verification"]["verdict"] == "match"
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["Wanted", "Found", "Do"]
    assert str(tmp_path / "photos") in result.stderr


def test_a_folder_for_pictures_that_cannot_be_is_heard_of_before_the_work(built, tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError("the photo was looked at")

    monkeypatch.setattr("geosleuth.agent.agent.Agent.localize", never)
    file = tmp_path / "file"
    file.touch()
    result = run("localize", "a.jpg", "--index", built, "--pictures", file)
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["Wanted", "Found", "Do"]
    assert f"{file}: File exists" in result.stderr


def test_under_a_cap_nothing_on_stderr_names_a_reference(built, tmp_path):
    query = photo(tmp_path / "query.jpg", galleries.place(103, shift=20), None)
    settings = tmp_path / "geosleuth.toml"
    settings.write_text(f'precision_cap_km = 25.0\nindex = "{built}"\n')
    result = run("localize", query, "--settings", settings, "--verbose")
    for tool in ("retrieve", "verify"):
        (step,) = [line for line in result.stderr.splitlines() if f": {tool}, " in line]
        assert ": Withheld: " in step
    for secret in ("103.jpg", str(built), "55.7009", "55.70089"):
        assert secret not in result.stderr


def test_under_a_cap_no_match_is_drawn(built, tmp_path):
    query = photo(tmp_path / "query.jpg", galleries.place(103, shift=20), None)
    settings = tmp_path / "geosleuth.toml"
    settings.write_text(f'precision_cap_km = 25.0\nindex = "{built}"\n')
    result = run("localize", query, "--settings", settings, "--pictures", tmp_path / "matches", "--json")
    assert "No match was drawn: the answer was coarsened.\n" in result.stderr
    assert list((tmp_path / "matches").iterdir()) == []
    assert json.loads(result.stdout)["candidates"] == []
    for secret in ("103.jpg", str(built), "55.7009", "55.70089"):
        assert secret not in result.stdout


def test_an_encoder_is_fitted_on_the_users_own_photos_and_builds_an_index(tmp_path):
    photos = walk(tmp_path / "photos", range(100, 112))
    said = run("index", "fit", photos, "--aggregation", "netvlad", "--out", tmp_path / "own")
    assert said.exit_code == 0, said.stderr
    assert said.stdout.endswith(f"Next: geosleuth index build {photos} --out INDEX --encoder dir:{tmp_path / 'own'}\n")
    done("index", "build", photos, "--out", tmp_path / "index", "--encoder", f"dir:{tmp_path / 'own'}")
    info = json.loads(done("index", "info", tmp_path / "index", "--json"))
    assert info["encoder"] == f"dir:{tmp_path / 'own'}"
    query = photo(tmp_path / "query.jpg", galleries.place(103, shift=20), None)
    answer = json.loads(done("localize", query, "--index", tmp_path / "index", "--json"))
    assert answer["candidates"][0]["uri"] == "103.jpg"


def test_an_index_in_milvus_answers_as_the_folder_does(built, tmp_path):
    pytest.importorskip("milvus_lite")
    target = f"milvus:walks@{tmp_path / 'walks.db'}"
    assert done("index", "upload", built, target) == f"6 references in {target}\n"
    info = json.loads(done("index", "info", target, "--json"))
    assert (info["references"], info["views"], info["encoder"]) == (6, {"ground": 6}, "embedded")
    query = photo(tmp_path / "query.jpg", galleries.place(103, shift=20), None)
    here, there = (json.loads(done("localize", query, "--index", name, "--json")) for name in (built, target))
    assert there["point"] == here["point"]
    assert [one["uri"] for one in there["candidates"]] == [one["uri"] for one in here["candidates"]]


def test_doctor_shows_the_index(built):
    text = CliRunner().invoke(cli.app, ["doctor"], env={"GEOSLEUTH_INDEX": str(built)}).stdout
    assert f"index      {built}: 6 references, encoder embedded\n" in text


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["build", "nowhere", "--out", "index"], "nowhere"),
        (["build", "{photos}", "--out", "{index}"], " index: "),
        (["build", "{photos}", "--out", "new", "--encoder", "oracle"], "'oracle'"),
        (["build", "{photos}", "--out", "new", "--zoom", "5"], "for --zoom to apply"),
        (["add", "{photos}", "nowhere"], "nowhere"),
        (["info", "nowhere"], "nowhere"),
        (["upload", "{index}", "walks"], "'walks'"),
        (["verify", "nowhere"], "no manifest.json in "),
        (["verify", "{photos}"], "no manifest.json in "),
    ],
)
def test_mistakes_are_explained_in_three_parts(built, tmp_path, monkeypatch, arguments, found):
    monkeypatch.chdir(tmp_path)
    names = {"photos": built.parent / "photos", "index": built}
    result = run("index", *(argument.format(**names) for argument in arguments))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["Wanted", "Found", "Do"]
    assert found in result.stderr


def test_ctrl_c_says_that_the_same_command_resumes(built, tmp_path, monkeypatch):
    from geosleuth.indexes.gallery import build

    whole = build.build_index

    def interrupted(*arguments, on_progress, **options):
        def stop(progress):
            if progress.phase == "encoding":
                raise KeyboardInterrupt

        return whole(*arguments, on_progress=stop, **options)

    monkeypatch.setattr(build, "build_index", interrupted)
    command = ("index", "build", built.parent / "photos", "--out", tmp_path / "index")
    result = run(*command)
    assert result.exit_code == 130
    assert result.stderr.endswith("Interrupted. The same command resumes where this stopped.\n")
    assert not (tmp_path / "index" / "manifest.json").exists()
    monkeypatch.undo()
    assert "6 references" in done(*command)


@pytest.mark.parametrize("command", ["build", "add", "info", "verify", "fit", "upload"])
def test_every_command_explains_itself(command):
    assert "Usage: " in done("index", command, "--help")


def test_the_report_lists_ten_of_each_and_no_control_character_reaches_the_terminal():
    info = IndexInfo(
        location="walk", references=1200, views={"ground": 1000, "map": 200},
        countries={f"{chr(65 + i)}A": 1 for i in range(12)} | {"": 3}, encoder="embedded", weights_sha256="ab" * 32,
        dimension=1280, index_type="flat", index_reason="few",
        sources=(SourceInfo(kind="xyz", root="/t", there=False),),
        problem_counts={"skipped": 12},
        problems=tuple(ProblemInfo(kind="skipped", uri=f"\x1b[2J{i}.jpg", reason="no position") for i in range(12)),
        bytes_on_disk=2_500_000, created_at="2026-01-01", version="1.0",
    )  # fmt: skip
    text = info_report(info)
    assert "references 1,200 (ground 1,000, map 200), 2.5 MB on disk" in text
    assert " and 3 more\n" in text
    assert "xyz /t (GONE: nothing can be verified against it)" in text
    assert "\x1b" not in text
    assert text.count("no position") == 10
    assert "and 2 more: --json lists them all" in text
