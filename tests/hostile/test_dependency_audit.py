"""The audit of dependencies says what it could not ask about; silence is no clean bill."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

spec = importlib.util.spec_from_file_location("ci_audit", Path(__file__).parents[2] / ".ci" / "audit.py")
audit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(audit)

CLEAN = {"name": "sound", "version": "1.0", "vulns": []}
WEAK = {"name": "frail", "version": "2.0", "vulns": [{"id": "INVENTED-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "unheard", "skip_reason": "Dependency not found"}
OWN = {"name": "geosleuth", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("packages", "strict", "code", "words"),
    [
        ([CLEAN, OWN], True, 0, "Audited: 1 of 1 packages; 0 with known weaknesses."),
        (
            [CLEAN, WEAK],
            False,
            1,
            "WEAKNESS: frail 2.0: INVENTED-1, mended in 2.1.\nAudited: 2 of 2 packages; 1 with known weaknesses.",
        ),
        # What a mirror without the service answers: pip-audit calls this "No known vulnerabilities found".
        ([UNKNOWN, OWN], False, 0, "NOT AUDITED: 1 of 1 packages (unheard). This is no clean bill."),
        ([UNKNOWN, OWN], True, 3, "NOT AUDITED: 1 of 1 packages (unheard). This is no clean bill."),
        ([OWN], True, 3, "NOT AUDITED: 0 of 0 packages (). This is no clean bill."),
        (
            [UNKNOWN, WEAK],
            True,
            1,
            (
                "WEAKNESS: frail 2.0: INVENTED-1, mended in 2.1.\n"
                "NOT AUDITED: 1 of 2 packages (unheard). This is no clean bill.\n"
                "Audited: 1 of 2 packages; 1 with known weaknesses."
            ),
        ),
    ],
)
def test_what_was_not_asked_about_is_said(packages, strict, code, words):
    assert audit.verdict({"dependencies": packages}, "", strict=strict) == (code, words)


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 3)])
def test_a_service_that_cannot_be_reached_is_said(strict, code):
    found = audit.verdict(None, "connection refused", strict=strict)
    assert found == (
        code,
        "NOT AUDITED: pip-audit reported on no package (connection refused). This is no clean bill.",
    )


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a shell script in the place of Python, and so of pip-audit and cyclonedx-bom."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))


def test_a_report_that_was_not_written_is_none_of_an_earlier_run(tmp_path, monkeypatch):
    old = tmp_path / "audit.json"
    old.write_text(json.dumps({"dependencies": [CLEAN]}), encoding="utf-8")
    program(tmp_path, monkeypatch, "echo 'no route to host' >&2\nexit 1")
    assert audit.ask(old) == (None, "no route to host")
    bill = tmp_path / "sbom.cdx.json"
    bill.write_text('{"components": [1]}', encoding="utf-8")
    assert audit.write_bill(bill) == (False, "NO BILL OF MATERIALS: no route to host")
    assert not bill.exists()


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ('{"components": [{"name": "sou', "a file that is no JSON object"),
        ("[1]", "a file that is no JSON object"),
        ('{"components": []}', "no package in it"),
    ],
)
def test_half_a_bill_and_an_empty_one_are_none_in_words(tmp_path, monkeypatch, written, words):
    bill = tmp_path / "sbom.cdx.json"
    program(tmp_path, monkeypatch, f"cat > '{bill}' <<'END'\n{written}\nEND")
    assert audit.write_bill(bill) == (False, f"NO BILL OF MATERIALS: {words}")
    assert not bill.exists()


def test_half_a_report_is_none(tmp_path, monkeypatch):
    report = tmp_path / "audit.json"
    program(tmp_path, monkeypatch, f"echo '{{\"dependencies\": [' > '{report}'; echo 'the disk is full' >&2")
    assert audit.ask(report) == (None, "the disk is full")


def test_what_takes_too_long_is_ended_and_what_was_not_asked_in_time_is_named(tmp_path, monkeypatch):
    installed = [
        SimpleNamespace(metadata={"Name": name}) for name in ("geosleuth", "Frail_one", "sound", "Zope.x", "y")
    ]
    monkeypatch.setattr(audit, "distributions", lambda: installed)
    monkeypatch.setattr(audit, "LIMIT_S", 0)
    program(tmp_path, monkeypatch, "exec sleep 600")
    assert audit.write_bill(tmp_path / "bill.json") == (False, "NO BILL OF MATERIALS: no end after 0 s")
    report, error = audit.ask(tmp_path / "audit.json")
    assert (report, error) == (None, "no end after 0 s; not asked in time: 4 of 4: frail-one, sound, y, zope-x")
    # Its own words, with --verbose, of pip-audit 2.10.
    said = (
        "DEBUG:pip_audit._cli:Auditing frail-one (1.0)\n"
        "DEBUG:pip_audit._service.pypi:Dependency not found on PyPI and could not be audited: zope-x (2.0)\n"
    )
    assert audit._late(said) == "no end after 0 s; not asked in time: 2 of 4: sound, y"
