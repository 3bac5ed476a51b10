from pathlib import Path

import pytest

from geosleuth.agent.settings import Settings, find_settings_file, known_keys, load_settings
from geosleuth.indexes.errors import InputError


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder, and a platform folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "geosleuth.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_need_nothing(here):
    assert load_settings(environ={}) == Settings()


def test_argument_then_file_then_environment_then_default(here):
    environ = {"GEOSLEUTH_MAX_STEPS": "3", "GEOSLEUTH_MAX_SECONDS": "7.5", "GEOSLEUTH_LANGUAGE": "fr"}
    write(here, 'max_steps = 4\nlanguage = "de"\n')
    settings = load_settings(environ=environ, arguments={"language": "pt", "max_repeats": None})
    assert settings.language == "pt"  # argument over file over environment
    assert settings.max_steps == 4  # file over environment
    assert settings.max_seconds == 7.5  # environment over default
    assert settings.max_repeats == 1  # a None argument is not given


def test_current_folder_comes_before_the_platform_folder(here):
    write(here / "config" / "geosleuth", "max_steps = 9")
    assert load_settings(environ={}).max_steps == 9
    write(here, "max_steps = 8")
    assert load_settings(environ={}).max_steps == 8
    assert find_settings_file() == here / "geosleuth.toml"


def test_a_role_is_a_key_of_the_backends_table(here):
    write(here, '[backends]\nprior = "file:guesses.csv#gpt"\n')
    assert load_settings(environ={}).backends.prior == "file:guesses.csv#gpt"
    assert load_settings(environ={}, arguments={"backends.prior": "embedded"}).backends.prior == "embedded"
    (here / "geosleuth.toml").unlink()
    assert load_settings(environ={"GEOSLEUTH_BACKENDS_PRIOR": "file:x.csv"}).backends.prior == "file:x.csv"


def test_an_index_and_its_roles(here):
    assert (Settings().index, Settings().backends.retrieval, Settings().backends.matching) == (None, None, "embedded")
    write(here, 'index = "walks"\n[backends]\nretrieval = "timm:convnext_tiny"\nmatching = "hf:org/matcher"\n')
    settings = load_settings(environ={"GEOSLEUTH_INDEX": "milvus:walks@http://db:19530"})
    assert settings.index == "walks"
    assert settings.backends.retrieval == "timm:convnext_tiny"
    assert settings.backends.matching == "hf:org/matcher"
    assert load_settings(environ={}, arguments={"index": "other"}).index == "other"
    (here / "geosleuth.toml").unlink()
    assert load_settings(environ={"GEOSLEUTH_INDEX": "walks"}).index == "walks"


def test_paths_expand_and_none_is_off(here):
    write(here, 'cache_dir = "cache"\naudit_log = "log/audit.jsonl"\n')
    settings = load_settings(environ={})
    assert settings.cache_dir == Path("cache")
    assert settings.audit_log == Path("log/audit.jsonl")
    assert settings.precision_cap_km is None


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("max_stps = 4", "max_stps", "did you mean 'max_steps'"),
        ('[backends]\npriors = "embedded"', "backends.priors", "did you mean 'backends.prior'"),
        ('max_steps = "4"', "max_steps", "'4'"),  # TOML has types: a quoted number is none
        ("max_steps = 0", "max_steps", "greater than or equal to 1"),
        ("language = 5", "language", "string"),
        ("precision_cap_km = -1", "precision_cap_km", "greater than 0"),
        ('backends = "embedded"', "backends", "known keys"),
        ('[backends]\nprior = "embeded"', "embeded", "did you mean 'embedded'"),
        ('[backends]\nplanner = "timm:a"', "timm:a", "geosleuth[vlm]"),
        ('[backends]\nretrieval = "file:x.csv"', "file:x.csv", "timm:NAME"),
        ('[backends]\nmatching = "geoclip"', "geoclip", "hf:ORG/NAME"),
        ("index = 5", "index", "string"),
        ("max_steps = ", "TOML", "Correct the line"),
    ],
)
def test_mistakes_in_the_file_are_named(here, text, key, message):
    write(here, text)
    with pytest.raises(InputError) as error:
        load_settings(environ={})
    assert key in str(error.value)
    assert message in str(error.value)


def test_the_place_of_a_mistake_is_named(here):
    with pytest.raises(InputError, match="max_steps in the environment"):
        load_settings(environ={"GEOSLEUTH_MAX_STEPS": "many"})
    with pytest.raises(InputError, match="known keys in the arguments"):
        load_settings(environ={}, arguments={"hints": "x"})


def test_an_unknown_variable_is_warned_of_and_nothing_more(here, caplog):
    load_settings(environ={"GEOSLEUTH_MAX_STEP": "3"})
    assert "did you mean 'GEOSLEUTH_MAX_STEPS'" in caplog.text


def test_a_named_file_must_be_there(here):
    with pytest.raises(InputError, match="no such file"):
        load_settings(here / "none.toml", environ={})
    with pytest.raises(InputError, match="a folder"):
        load_settings(here, environ={})


def test_every_setting_is_annotated_on_its_own_line():
    source = Path(__import__("geosleuth.agent.settings", fromlist=["x"]).__file__).read_text(encoding="utf-8")
    for key in known_keys():
        name = key.rpartition(".")[2]
        lines = [line for line in source.splitlines() if line.strip().startswith(f"{name}: ")]
        assert lines, name
        assert all("  # " in line for line in lines), lines
