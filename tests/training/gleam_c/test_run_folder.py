import json
import subprocess
import sys

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c.config import DataConfig, GleamCConfig, MachineConfig
from geosleuth.training.gleam_c.run_folder import opened


def config(**changed):
    given = {"name": "x", "epochs": 1, "data": (DataConfig(set="vigor", root="r", split="same-train"),)}
    return GleamCConfig.model_validate({**given, **changed})


def test_a_run_keeps_its_settings_and_what_made_it(tmp_path):
    with opened(tmp_path / "run", config(seed=7)) as folder:
        folder.write_settings(config(seed=7))
        folder.write_about(["a set"])
        folder.write_about(["a set"])
    assert GleamCConfig.model_validate_json((tmp_path / "run/settings.json").read_text()) == config(seed=7)
    sessions = json.loads((tmp_path / "run/about.json").read_text())
    assert len(sessions) == 2
    assert sessions[0]["data"] == ["a set"]
    assert "torch" in sessions[0]["versions"]


def test_the_same_settings_go_on_and_others_do_not(tmp_path):
    with opened(tmp_path, config(seed=3)):
        pass  # what went wrong before the first step leaves the folder free
    with opened(tmp_path, config()) as folder:
        folder.write_settings(config())
    with opened(tmp_path, config(machine=MachineConfig(workers=0))):  # the machine may be another one
        pass
    with pytest.raises(InputError) as error, opened(tmp_path, config(seed=2)):
        pass
    assert error.value.found == "another seed"


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match=r"thesis\.tex"), opened(tmp_path, config()):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "x"
    with pytest.raises(InputError, match="can be written"), opened(tmp_path / "thesis.tex" / "run", config()):
        pass


def test_two_at_once_are_refused(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from test_run_folder import config\n"
        "from geosleuth.training.gleam_c.run_folder import opened\n"
        "from geosleuth.indexes.errors import InputError\n"
        "try:\n"
        "    with opened(Path(sys.argv[1]), config()): print('mine')\n"
        "except InputError as error: print(error.found)\n"
    )
    here = str(__import__("pathlib").Path(__file__).parent)
    with opened(tmp_path / "run", config()):
        found = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "run"), here], capture_output=True, text=True, check=True
        )
    assert found.stdout.strip() == "another that trains it now"


def test_metrics_of_steps_that_are_done_again_are_forgotten(tmp_path):
    with opened(tmp_path, config()) as folder:
        for step in (1, 2, 3):
            folder.add_metrics(step, {"loss": 1.0 / step})
        with folder.metrics.open("a") as file:
            file.write('{"step": 3, "lo')  # the run was killed while it wrote
        folder.keep_metrics_until(2)
        assert [json.loads(line)["step"] for line in folder.metrics.read_text().splitlines()] == [1, 2]


def test_broken_pictures_are_listed_by_any_name(tmp_path):
    with opened(tmp_path, config()) as folder:
        assert folder.broken() == set()
        folder.write_broken({"a\nb.jpg", "c.jpg"})
        assert folder.broken() == {"a\nb.jpg", "c.jpg"}
