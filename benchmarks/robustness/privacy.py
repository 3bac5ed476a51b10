"""What leaves the machine, the log and the temporary folder, as the operating system sees it.

    python benchmarks/robustness/privacy.py                 # localize, batch, report, an interrupt: a minute
    python benchmarks/robustness/privacy.py --chat          # the chat as well, with a photo handed in and answered
    python benchmarks/robustness/privacy.py --cut           # in a network namespace without any network

Each command of geosleuth runs on a synthetic street scene whose file has a telling name, under strace, which lists
every connection and every datagram of it and of all its children. Told are those that leave this machine (look-ups of
names are among them), the words on stderr that name the photo, a place or a sign in it, and the files that were left in
the temporary folder. With --cut they run where there is no network at all (`unshare`), and must end as they do with
one. Needs Linux with strace; the exit code is 1 where anything got out.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NAME = "witness-house-4815"
# Of the file, of the place that the scene shows and of its sign. The first is in the answer, which goes to stdout.
TELLING = (NAME, "varzec", "47.9", "Saint")
_GOES_OUT = re.compile(r"(?:connect|sendto|sendmsg|sendmmsg)\(.*sa_family=AF_(?!UNIX|NETLINK|UNSPEC)\w+.*")
_LOOPBACK = re.compile(r'"(?:127\.[0-9.]+|::1|::ffff:127\.[0-9.]+)"|inet_addr\("127\.')
_GEOSLEUTH = [sys.executable, "-c", "from geosleuth.ui.cli import main; main()"]
_WAIT_S = 600.0  # of a busy machine


@dataclass
class Row:
    """What one command left behind."""

    what: str
    ended: str
    out: list[str]  # connections and datagrams that leave this machine
    told: list[str]  # telling words on stderr
    files: list[str]  # in the temporary folder

    @property
    def clean(self) -> bool:
        """Whether nothing got out, and the command ended as it was to."""
        return self.ended == "as expected" and not (self.out or self.told or self.files)


def commands(photo: Path, folder: Path) -> list[tuple[str, list[str], int]]:
    """Name, arguments and expected exit code of each command."""
    return [
        ("localize", ["localize", str(photo), "--json"], 0),
        ("localize with a report", ["localize", str(photo), "--report", str(folder / "report.html")], 0),
        ("batch", ["batch", str(photo.parent), "--out", str(folder / "t.csv"), "--workers", "1"], 0),
        ("a photo that is an address", ["localize", "http://192.0.2.1/x.jpg"], 2),
        ("a damaged photo", ["localize", str(photo.with_name("damaged.jpg"))], 2),
    ]


def watched(arguments: Sequence[str], folder: Path, *, cut: bool) -> tuple[list[str], dict[str, str], Path]:
    """Return a command line under strace, its environment, and the file of what strace sees."""
    seen = folder / f"strace-{len(list(folder.glob('strace-*')))}"
    line = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(seen)]
    # As root of its own namespace: whoever may make one, may run this.
    line = (["unshare", "--user", "--map-root-user", "--net"] if cut else []) + line
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GEOSLEUTH_", "STREAMLIT_"))}
    (folder / "tmp").mkdir(exist_ok=True)
    return [*line, *arguments], kept | {"TMPDIR": str(folder / "tmp")}, seen


def ran(what: str, arguments: list[str], expected: int, folder: Path, *, cut: bool) -> Row:
    """Run a command of geosleuth to its end."""
    line, environment, seen = watched([*_GEOSLEUTH, *arguments], folder, cut=cut)
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=_WAIT_S, cwd=folder)
    ended = "as expected" if done.returncode == expected else f"exit {done.returncode}: {done.stderr[-300:]}"
    words = done.stderr if expected == 0 else ""  # an error tells who made it which file it is about
    return _row(what, ended, seen, words.replace(str(folder), ""), folder)


def interrupted(clip: Path, folder: Path, *, cut: bool) -> Row:
    """Hand a video's bytes to the decoder, which needs a file of them, and press Ctrl-C while it lies there."""
    code = f"from geosleuth.indexes.video import frames\nwhile True:\n frames(open({str(clip)!r}, 'rb').read(), 6)"
    line, environment, seen = watched([sys.executable, "-c", code], folder, cut=cut)
    process = subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until = time.monotonic() + _WAIT_S
    while not list((folder / "tmp").glob("geosleuth-*/video")) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    _, words = process.communicate(timeout=_WAIT_S)
    ended = "as expected" if "KeyboardInterrupt" in words else f"exit {process.returncode}: {words[-300:]}"
    return _row("Ctrl-C while a video is read", ended, seen, "", folder)


def chat(photo: Path, folder: Path) -> Row:
    """Start the chat, hand in the photo, wait for the answer, and press Ctrl-C."""
    import socket
    import urllib.request

    from chat_visit import Visitor

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [*_GEOSLEUTH, "chat", "--port", str(port), "--cases", str(folder / "cases")]
    line, environment, seen = watched(arguments, folder, cut=False)
    with (folder / "chat.log").open("wb") as log:
        process = subprocess.Popen(line, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=folder)
    url, until, ended = f"http://127.0.0.1:{port}", time.monotonic() + _WAIT_S, "it did not start"
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()  # noqa: S310 - our own port
            break
        except OSError:
            time.sleep(0.2)
    if process.poll() is None:
        with Visitor(url, _WAIT_S) as visitor:
            outcome = visitor.ask(photo.name, photo.read_bytes()).outcome
        ended = "as expected" if outcome == "answered" else outcome
    os.killpg(process.pid, signal.SIGINT)
    process.wait(_WAIT_S)
    words = (folder / "chat.log").read_text(errors="replace").replace(str(folder), "")
    return _row("chat: a photo handed in and answered", ended, seen, words, folder)


def _row(what: str, ended: str, seen: Path, words: str, folder: Path) -> Row:
    lines = seen.read_text(errors="replace").splitlines() if seen.exists() else ["strace wrote nothing: connect(AF_?"]
    out = [line for line in lines if _GOES_OUT.search(line) and not _LOOPBACK.search(line)]
    if not seen.exists():
        out = lines
    left = [str(path.relative_to(folder / "tmp")) for path in (folder / "tmp").iterdir()]
    shutil.rmtree(folder / "tmp")
    return Row(what, ended, out, [one for one in TELLING if one in words], left)


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, and below it what got out."""
    head = "| command | ended | connections out | telling words in the log | temporary files left |"
    lines = [head, "|---|---|---:|---:|---:|"]
    lines += [f"| {r.what} | {r.ended} | {len(r.out)} | {len(r.told)} | {len(r.files)} |" for r in rows]
    lines += [f"\n{row.what}: {one}" for row in rows for one in (*row.out[:5], *row.told, *row.files)]
    return "\n".join(lines) + "\n"


def prepared(folder: Path) -> tuple[Path, Path]:
    """Draw the scene, a file that is damaged, and a clip; return the photo and the clip."""
    import cv2
    import numpy as np

    from geosleuth.ui.demo_scene import draw_scene

    photos = folder / "photos"
    photos.mkdir()
    scene = draw_scene()
    photo = photos / f"{NAME}.jpg"
    scene.save(photo, quality=92)
    clip = folder / "clip.mp4"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"mp4v"), 10, (320, 240))
    for number in range(60):
        writer.write(cv2.resize(np.asarray(scene)[:, 4 * number :, ::-1], (320, 240)))
    writer.release()
    return photo, clip


def main() -> int:
    """Run the commands, write the table; 1 where anything got out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chat", action="store_true", help="the chat as well")
    parser.add_argument("--cut", action="store_true", help="without any network, in a namespace of its own")
    given = parser.parse_args()
    if given.chat and given.cut:
        parser.error("the chat needs this machine's own network: leave one of --chat and --cut out")
    if shutil.which("strace") is None:
        raise SystemExit("Wanted: strace. Found: none. Install it, on Debian with `apt-get install strace`.")
    # A shell starts what runs in its background deaf to Ctrl-C, and children would be so, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="privacy-") as name:
        folder = Path(name)
        photo, clip = prepared(folder)
        rows = []
        for what, arguments, expected in commands(photo, folder):
            if "damaged" in what:
                photo.with_name("damaged.jpg").write_bytes(photo.read_bytes()[:2000])
            rows.append(ran(what, arguments, expected, folder, cut=given.cut))
            sys.stderr.write(f"{what}: {rows[-1].ended}\n")
        rows.append(interrupted(clip, folder, cut=given.cut))
        if given.chat:
            rows.append(chat(photo, folder))
        sys.stdout.write(table(rows))
    return 0 if all(row.clean for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
