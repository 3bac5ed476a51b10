"""The order of the rooms is held by the tests too, for whoever runs pytest alone."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_imports_go_one_way():
    program = Path(sys.executable).with_name("lint-imports")
    if not program.is_file():
        pytest.skip(f"no {program.name} beside {sys.executable}: install geosleuth[dev]")
    # In a process of its own: import-linter configures logging, which switches off the loggers that others test.
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 kept, 0 broken" in done.stdout
