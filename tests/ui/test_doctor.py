import json

from typer.testing import CliRunner

from geosleuth.ui import cli


def examined(*options: str, **environment: str) -> dict:
    result = CliRunner().invoke(cli.app, ["doctor", "--json", *options], env=environment)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_says_what_each_role_runs_and_that_nothing_is_asked_outside():
    found = examined()
    roles = ("planner", "prior", "reading", "locatability", "matching", "pairwise", "gleam_x")
    assert found["roles"] == dict.fromkeys(roles, "embedded") | {"retrieval": "the index's own encoder"}
    assert found["models"] == []
    assert found["endpoints"] == []
    assert found["index"] is None


def test_a_missing_index_is_said_with_what_to_do(tmp_path):
    found = examined(GEOSLEUTH_INDEX=str(tmp_path / "none"))["index"]
    assert found["location"] == str(tmp_path / "none")
    assert found["references"] is None
    assert "geosleuth index build" in found["error"]
    report = CliRunner().invoke(cli.app, ["doctor"], env={"GEOSLEUTH_INDEX": str(tmp_path / "none")}).stdout
    assert f"index      {tmp_path / 'none'}: CANNOT BE OPENED\n" in report


def test_a_server_of_references_is_an_endpoint():
    from geosleuth.agent.settings import Settings
    from geosleuth.ui.doctor import _endpoints

    assert _endpoints(Settings(index="milvus:walks@http://db.example:19530")) == (
        "milvus:walks@http://db.example:19530",
    )
    assert _endpoints(Settings(index="milvus:walks@walks.db")) == ()  # a file of this machine


def test_models_of_a_hub_are_said(tmp_path):
    file = tmp_path / "geosleuth.toml"
    file.write_text('[backends]\nretrieval = "timm:resnet18"\nmatching = "hf:nobody/matcher"\n')
    fetched = "(fetched once from the model's hub if not cached)"
    assert examined("--settings", str(file))["endpoints"] == [
        f"timm:resnet18 {fetched}",
        f"hf:nobody/matcher {fetched}",
    ]
    report = CliRunner().invoke(cli.app, ["doctor", "--settings", str(file)]).stdout
    assert "nothing leaves this machine" not in report


def test_adapters_of_a_hub_and_geoclips_image_tower_are_fetched_too():
    from geosleuth.agent.settings import Backends, Settings
    from geosleuth.ui.doctor import _endpoints

    backends = Backends(
        prior="geoclip", planner="dir:base+hf:nobody/adapter", pairwise="openai:qwen@http://gpu:8000/v1"
    )
    fetched = "(fetched once from the model's hub if not cached)"
    assert _endpoints(Settings(backends=backends)) == (
        "openai:qwen@http://gpu:8000/v1",  # first: photos go there
        f"hf:nobody/adapter {fetched}",
        f"geoclip {fetched}",
    )


def test_names_the_settings_file_and_its_values(tmp_path):
    file = tmp_path / "geosleuth.toml"
    file.write_text("precision_cap_km = 25.0\n")
    found = examined("--settings", str(file))
    assert found["settings_file"] == str(file)
    assert found["settings"]["precision_cap_km"] == 25.0


def test_the_cache_is_measured_and_missing_ones_are_no_fault(tmp_path):
    table = tmp_path / "compiled" / "grid-0123"
    table.mkdir(parents=True)
    (table / "cells").write_bytes(bytes(1000))
    full = examined(GEOSLEUTH_CACHE_DIR=str(tmp_path))["cache"]
    assert full == {"folder": str(tmp_path), "size_bytes": 1000, "writable": True, "tables": ["grid-0123"]}
    absent = examined(GEOSLEUTH_CACHE_DIR=str(tmp_path / "not" / "yet"))["cache"]
    assert (absent["size_bytes"], absent["writable"], absent["tables"]) == (0, True, [])


def test_the_many_tables_of_sentences_are_counted(tmp_path):
    for name in ("grid-0123", "text-0123456789abcdef-0123", "text-fedcba9876543210-0123"):
        (tmp_path / "compiled" / name).mkdir(parents=True)
    assert examined(GEOSLEUTH_CACHE_DIR=str(tmp_path))["cache"]["tables"] == [
        "grid-0123",
        "text-* (2, sentences of a CLIP)",
    ]


def test_a_cache_that_is_a_file_is_not_writable(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert examined(GEOSLEUTH_CACHE_DIR=str(file))["cache"]["writable"] is False


def test_without_tesseract_its_scripts_are_missing_and_the_command_is_named(monkeypatch, tmp_path):
    found = examined(PATH=str(tmp_path))["tesseract"]
    assert found["version"] is None
    assert "Cyrl" in found["missing_scripts"]
    assert "tesseract-ocr-script-cyrl" in found["install"]


def test_the_readable_report_holds_the_same():
    result = CliRunner().invoke(cli.app, ["doctor"])
    assert result.exit_code == 0
    assert "role       reading: embedded (OCR with word tables)\n" in result.stdout
    assert "nothing leaves this machine" in result.stdout
