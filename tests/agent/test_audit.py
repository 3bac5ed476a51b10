import json
import stat
import sys
from datetime import UTC, datetime, timedelta

import pytest

from geosleuth.agent.audit import append_audit, audit_event
from geosleuth.indexes.errors import InputError


def test_photos_and_cases_share_one_log(tmp_path):
    path = tmp_path / "new" / "audit.jsonl"
    append_audit(path, sha256="ab", status="localized")
    audit_event(path, "case deleted", case="cd", reason="retention")
    photo, case = (json.loads(line) for line in path.read_text().splitlines())
    assert abs(datetime.fromisoformat(photo.pop("time")) - datetime.now(UTC)) < timedelta(minutes=1)
    assert photo == {"sha256": "ab", "status": "localized"}
    assert case.pop("time")
    assert case == {"event": "case deleted", "case": "cd", "reason": "retention"}
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("write", [lambda p: append_audit(p, sha256="", status=""), lambda p: audit_event(p, "x")])
def test_a_log_that_cannot_be_written_is_an_error(tmp_path, write):
    with pytest.raises(InputError, match="Correct audit_log in the settings"):
        write(tmp_path)
