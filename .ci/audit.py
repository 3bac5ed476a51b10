"""Audit what is installed beside geosleuth, and write its bill of materials: `make audit`.

The bill is CycloneDX 1.6 in JSON, of all packages of the environment, by cyclonedx-bom; pip-audit writes one too, which
leaves out each package that it could not ask about. Known weaknesses come from the service that pip-audit asks. A
machine behind a mirror may not reach it, or be told "unknown" for every name, and pip-audit then ends with "No known
vulnerabilities found" and exit code 0: hence this program counts what was asked about, and says what was not.

Exit codes: 0 nothing known against what could be asked about (or, without --strict, nothing could be asked), 1 known
weaknesses or no bill of materials, 3 with --strict where a package was not asked about.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

BILL, FINDINGS = "sbom.cdx.json", "audit.json"
OWN = "geosleuth"  # in no registry's list of weaknesses
TIMEOUT_S = 10  # of one question to the service
LIMIT_S = 120  # of all of them, and of the bill: a person waits. pip-audit keeps answers: a second run gets further
# What pip-audit says with --verbose behind each answer: of one that it knows, and of one that its service does not.
_ASKED = re.compile(r"(?:Auditing|could not be audited:) (\S+) \(")
_NAMED = 5  # packages that could not be asked about, by name


def main() -> int:
    """Write the bill, ask about weaknesses, and say in words what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--strict", action="store_true", help="exit code 3 where a package could not be asked about")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    written, words = write_bill(options.out / BILL)
    sys.stdout.write(f"{words}\n")
    report, error = ask(options.out / FINDINGS)
    code, words = verdict(report, error, strict=options.strict)
    sys.stdout.write(f"{words}\n")
    return code if written else 1


def write_bill(path: Path) -> tuple[bool, str]:
    """Write the bill of materials; return whether it is there, and what to say."""
    path.unlink(missing_ok=True)  # an old bill must not be taken for this one
    command = [sys.executable, "-m", "cyclonedx_py", "environment", sys.executable, "--pyproject", "pyproject.toml"]
    # Unvalidated: the check against the schema takes 15 times as long as the bill, and tests no part of ours.
    command += ["--output-reproducible", "--no-validate", "--output-format", "JSON", "--output-file", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        path.unlink(missing_ok=True)  # it may be half written
        return False, f"NO BILL OF MATERIALS: no end after {LIMIT_S} s"
    if done.returncode or not path.is_file():
        return False, f"NO BILL OF MATERIALS: {last_line(done.stderr)}"
    bill = _read(path)
    parts = None if bill is None else bill.get("components", [])
    if not isinstance(parts, list) or not parts:
        path.unlink()  # nobody may take it for one
        return False, "NO BILL OF MATERIALS: " + (
            "a file that is no JSON object" if bill is None else "no package in it"
        )
    return True, f"Bill of materials: {len(parts)} packages, in {path} (CycloneDX)."


def ask(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Have pip-audit ask about each package; return its report, or None and why there is none."""
    path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--timeout", str(TIMEOUT_S)]
    command += ["--verbose", "--format", "json", "--output", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired as late:
        return None, _late((late.stderr or b"").decode(errors="replace"))  # bytes, though text was asked for
    report = _read(path)  # exit code 1 means weaknesses, or that it failed
    return (report, "") if report is not None else (None, last_line(done.stderr))


def _late(said: str) -> str:
    """Which packages were not asked about in time; of the others nothing is known either: pip-audit reports last."""
    asked = {_plain(name) for name in _ASKED.findall(said)}
    installed = {_plain(one.metadata["Name"]) for one in distributions() if one.metadata["Name"]} - {OWN}
    left = sorted(installed - asked)
    named = ", ".join(left[:_NAMED]) + (" ..." if len(left) > _NAMED else "")
    return f"no end after {LIMIT_S} s; not asked in time: {len(left)} of {len(installed)}: {named}"


def _plain(name: str) -> str:
    """As names of packages are compared: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(path: Path) -> dict[str, Any] | None:
    """Return a JSON object; None where there is no file, half of one, or another thing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def verdict(report: dict[str, Any] | None, error: str, *, strict: bool) -> tuple[int, str]:
    """Return the exit code and the words: what is known, and what could not be asked about."""
    unasked = 3 if strict else 0
    if report is None:
        return unasked, f"NOT AUDITED: pip-audit reported on no package ({error}). This is no clean bill."
    packages = [one for one in report.get("dependencies", []) if one["name"] != OWN]
    asked = [one for one in packages if "vulns" in one]
    weak = [one for one in asked if one["vulns"]]
    lines = [_weakness(one, known) for one in weak for known in one["vulns"]]
    missing = [one["name"] for one in packages if "vulns" not in one]
    if missing or not asked:
        named = ", ".join(missing[:_NAMED]) + (" ..." if len(missing) > _NAMED else "")
        lines.append(f"NOT AUDITED: {len(missing)} of {len(packages)} packages ({named}). This is no clean bill.")
    if asked:
        lines.append(f"Audited: {len(asked)} of {len(packages)} packages; {len(weak)} with known weaknesses.")
    return (1 if weak else unasked if missing or not asked else 0), "\n".join(lines)


def _weakness(package: dict[str, Any], known: dict[str, Any]) -> str:
    mended = ", ".join(known.get("fix_versions", [])) or "no version"
    return f"WEAKNESS: {package['name']} {package.get('version', '?')}: {known['id']}, mended in {mended}."


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")


if __name__ == "__main__":
    sys.exit(main())
