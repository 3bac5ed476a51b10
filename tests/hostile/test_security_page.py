"""Every row of the threat model names tests, and each of them is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    table = [line for line in TEXT.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_every_row_of_the_threat_model_names_tests_that_exist():
    assert len(rows()) >= 10
    for threat, against, tests in rows():
        assert threat
        assert against
        named = re.findall(r"\]\(([^)]+)\)", tests)
        assert named, threat
        for name in named:
            assert re.fullmatch(r"tests/.*test_\w+\.py", name), name
            assert "def test_" in (ROOT / name).read_text(encoding="utf-8"), name


def test_the_page_is_one_page():
    assert len(TEXT.split()) < 1100
