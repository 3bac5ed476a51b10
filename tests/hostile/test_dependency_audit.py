"""The audit of dependencies says what it could not ask about; silence is no clean bill."""

import importlib.util
import json
import sys
from pathlib import Path

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
        "NOT AUDITED: pip-audit could not ask about any package (connection refused). This is no clean bill.",
    )


def test_a_report_that_was_not_written_is_none_of_an_earlier_run(tmp_path, monkeypatch):
    old = tmp_path / "audit.json"
    old.write_text(json.dumps({"dependencies": [CLEAN]}), encoding="utf-8")
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho 'no route to host' >&2\nexit 1\n", encoding="utf-8")
    failing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(failing))
    assert audit.ask(old) == (None, "no route to host")
    bill = tmp_path / "sbom.cdx.json"
    bill.write_text('{"components": [1]}', encoding="utf-8")
    assert audit.write_bill(bill) == (False, "NO BILL OF MATERIALS: no route to host")
    assert not bill.exists()
