"""A worker program that starts in half a second and whose photos take 20 ms: the real one, but for the agent.

Each look is noted in the file $LOOKS. A photo whose name says "deadly" kills the process; "once" only the first time;
"kills" kills its decoder, see tests/indexes/bad_decoder.py; "faulty" ends the worker by an error that quotes its path.
"""

import os
import signal
import sys
import time
import types
from pathlib import Path

from geosleuth.agent.batch import outcome, worker
from geosleuth.agent.batch.outcome import Outcome
from geosleuth.agent.localization import Localization
from geosleuth.indexes import decoder_process
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo_file import file_name

ANSWER = Localization.model_validate_json(Path(os.environ["ANSWER"]).read_text())
LOOKS = Path(os.environ["LOOKS"])


def look(agent, path, sha256, hints):
    known = LOOKS.read_text() if LOOKS.exists() else ""
    with LOOKS.open("a") as file:
        file.write(f"{file_name(path)} {sha256} {'|'.join(hints)}\n")
    if "kills" in path.name:
        return outcome.look(agent, path, sha256, hints)
    if "unusable" in path.name:
        raise InputError("an audit log", "a full disk", "Free space.")
    if "deadly" in path.name or ("once" in path.name and path.name not in known):
        os.kill(os.getpid(), signal.SIGKILL)
    if "faulty" in path.name:
        raise ValueError(f"a fault over {path}")
    time.sleep(0.02)
    facts = ANSWER.photo.model_copy(update={"name": path.name, "sha256": sha256})
    return Outcome(seconds=0.02, answer=ANSWER.model_copy(update={"photo": facts, "photos": (facts,)}))


if __name__ == "__main__":
    agent = types.SimpleNamespace(Agent=lambda settings: types.SimpleNamespace(references=None, settings=settings))
    sys.modules["geosleuth.agent.agent"] = agent  # the real one imports for a second
    worker.limit_threads = lambda _: None  # it imports cv2
    worker.look = look
    decoder_process._PROGRAM = (str(Path(__file__).parents[2] / "indexes" / "bad_decoder.py"),)
    worker.main()
