import importlib.util
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from geosleuth.agent.agent import Agent
from geosleuth.agent.batch.journal import Journal
from geosleuth.agent.settings import Settings

spec = importlib.util.spec_from_file_location("batches", Path(__file__).with_name("batches.py"))
batches = sys.modules.setdefault("batches", importlib.util.module_from_spec(spec))
spec.loader.exec_module(batches)
draw, looked = batches.draw, batches.looked
HERE = Path(__file__).parent


def test_killed_at_ten_moments_no_photo_is_lost_or_done_twice(tmp_path, looks):
    folder = draw(tmp_path / "photos", *(f"{i:03d}.png" for i in range(60)))
    out, dice = tmp_path / "r.parquet", random.Random(5)  # noqa: S311  moments, not secrets
    command = [sys.executable, str(HERE / "run_batch.py"), str(folder), str(out)]
    done: set[str] = set()
    for _ in range(10):
        before = len(looks.read_text().splitlines()) if looks.exists() else 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            new = 0  # rows beyond those of the journal: every run gets on
            while new <= dice.randrange(4):
                name, *pids = process.stdout.readline().split()
                new += name not in done
            time.sleep(dice.random() * 0.05)
            process.kill()
        assert process.returncode == -9
        _wait_for_the_end_of(pids)
        fresh = [line.split(" ")[0] for line in looks.read_text().splitlines()[before:]]
        assert not done & set(fresh)  # nothing that was kept is looked at again
        done = _journaled(out, folder)
    assert 10 <= len(done) < 60
    assert not out.exists()
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert sorted(line.split()[0] for line in finished.stdout.splitlines()) == [f"{i:03d}.png" for i in range(60)]
    assert len(_journaled(out, folder)) == 60
    import geopandas

    table = geopandas.read_parquet(out)
    assert [Path(file).name for file in table["file"]] == [f"{i:03d}.png" for i in range(60)]
    assert table["sha256"].is_unique
    # Looked at in vain: at most what each killed run had handed over, two photos for each of its two workers. One is
    # being looked at; of the other the answer may have come just before it could be kept.
    assert 60 <= len(looked(looks)) <= 60 + 10 * 4


def _wait_for_the_end_of(pids: list[str]) -> None:
    """Workers end with the batch, however it ended."""
    limit = time.monotonic() + 60
    while any(Path(f"/proc/{pid}/stat").exists() and _alive(pid) for pid in pids):
        assert time.monotonic() < limit, f"workers {pids} outlive their batch"
        time.sleep(0.01)


def _alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _journaled(out: Path, folder: Path) -> set[str]:
    from geosleuth.agent.batch.fingerprint import fingerprint, photo_key
    from geosleuth.agent.batch.listing import content_sha256

    deciding = fingerprint(Agent(Settings()))
    journal = Journal(out.with_name(out.name + ".journal"))
    keys = {path.name: photo_key(content_sha256(path), deciding, (), None) for path in folder.iterdir()}
    found = {name for name, key in keys.items() if journal.get(key)}
    journal.close()
    return found


def test_a_log_that_was_cut_short_loses_its_last_photo_alone(tmp_path):
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom geosleuth.agent.batch.journal import Journal\n"
        "from geosleuth.agent.batch.outcome import Outcome\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for key in 'abc': journal.put(key, Outcome(seconds=1.0))\n"
        "os._exit(9)\n"
    )
    path = tmp_path / "j.journal"
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    log = path.with_name("j.journal-wal")
    os.truncate(log, log.stat().st_size - 100)
    journal = Journal(path)
    assert [journal.get(key) is not None for key in "abc"] == [True, True, False]
    journal.put("c", journal.get("a"))
    assert journal.get("c").seconds == 1.0
    journal.close()
    assert path.stat().st_mode & 0o777 == 0o600
