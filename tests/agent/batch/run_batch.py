"""A batch to be killed: run_batch.py FOLDER OUT; prints a line per row."""

import sys
from pathlib import Path

from geosleuth.agent.agent import Agent
from geosleuth.agent.batch import worker_process
from geosleuth.agent.settings import Settings

worker_process._PROGRAM = (str(Path(__file__).with_name("quick_worker.py")),)
with Agent(Settings()).localize_many(sys.argv[1], out=sys.argv[2], workers=2) as rows:
    for row in rows:
        print(row.path.name, *rows._crew.pids, flush=True)
