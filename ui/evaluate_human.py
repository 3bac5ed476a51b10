"""`geosleuth evaluate human`: people on the agent's photos, and their answers beside the agent's.

Exit codes: 0 done, 2 bad input, 130 interrupted; every answer is kept, and the same command goes on.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.chat_command import check_port, serve, streamlit_options
from geosleuth.ui.columns import columns
from geosleuth.ui.options import Verbose
from geosleuth.ui.shell import exits, logs_to_stderr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geosleuth.training.evaluate.human.comparison import Comparison

HOST, PORT = "127.0.0.1", 8503  # the chat has 8501, the review 8502
SCRIPT = Path(__file__).with_name("human.py")
_LIBRARIES = ("streamlit", "pydeck")


def human(
    data: Annotated[
        str | None, typer.Option("--data", metavar="NAME", help="The data set, as `evaluate agent` names it.")
    ] = None,
    root: Annotated[Path | None, typer.Option("--root", metavar="FOLDER", help="Where its photos lie.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where answers are added: one JSONL of all people.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", metavar="FILE", help="Its labels, where they are not in the folder.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Only so many photos, the same for everybody.")
    ] = None,
    port: Annotated[int, typer.Option(metavar="PORT", min=1, max=65535, help="Where the page is served.")] = PORT,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Compare these answers, instead of asking.")
    ] = None,
    agent: Annotated[
        Path | None, typer.Option("--agent", metavar="FILE", help="With --report: the agent's report.json.")
    ] = None,
    out_report: Annotated[
        Path | None, typer.Option("--out-report", metavar="FILE", help="With --report: write it as an HTML page, too.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Ask people where the photos were taken, on a page of this machine alone; then set them beside the agent.

    Everybody types a name on the page; several may answer at once, in tabs of their own, and go on later. Nobody sees
    the truth, a file's name, its metadata, or another's answer.
    """
    with exits("The page has ended; every answer is kept."), logs_to_stderr(verbose):
        if report is not None:
            _compare(report, agent, out_report)
            return
        if agent is not None or out_report is not None:
            raise InputError("--report FILE.jsonl beside --agent and --out-report", "no --report", "Name the answers.")
        _ask(data, root, out, labels, limit, port)


def report_text(found: Comparison) -> str:
    """Write the comparison as small tables, for a person."""
    from geosleuth.agent.printable import printable
    from geosleuth.training.evaluate.human.page import agreement_grid, grid_of

    lines = list(found.notes)
    for section, signed in (*((section, False) for section in found.sections), (found.differences, True)):
        head, rows = grid_of(section, signed=signed)
        lines += ["", section.title, *columns([head, *rows])]
    if found.agreed:
        head, rows = agreement_grid(found.agreed)
        lines += ["", "Agreement between people", *columns([head, *rows])]
    return "\n".join(map(printable, lines)) + "\n"


def _compare(answers: Path, agent: Path | None, page: Path | None) -> None:
    """Print the comparison."""
    from geosleuth.training.evaluate.agent.record import read_report
    from geosleuth.training.evaluate.human.answer_file import read_answers
    from geosleuth.training.evaluate.human.comparison import compared
    from geosleuth.training.evaluate.human.page import write_page

    if agent is None:
        remedy = "Name the report.json that `geosleuth evaluate agent --out FOLDER` wrote, by --agent."
        raise InputError("the agent's report to compare with", "no --agent", remedy)
    if not answers.is_file():
        raise InputError("a file of people's answers", f"no file {answers}", "Name what --out wrote, by --report.")
    if page is not None:
        _check_apart(page, {"--report": answers, "--agent": agent})
    other = read_report(agent)
    found = compared(read_answers(answers), other.rows)
    if page is not None:
        subtitle = f"{other.data}; the agent's run of {other.made_at}, geosleuth {other.version}"
        write_page(page, found, subtitle)
    sys.stdout.write(report_text(found) + (f"\nReport: {page}\n" if page else ""))
    sys.stdout.flush()


def _check_apart(page: Path, read: dict[str, Path]) -> None:
    """See that the page replaces nothing that it is made from: answers of people cannot be had again."""
    for option, path in read.items():
        if _whole(page).resolve() == _whole(path).resolve() or (page.exists() and page.samefile(path)):
            remedy = "Name a new file, such as people.html, by --out-report."
            raise InputError("a file of its own for the HTML page", f"{page}, the file of {option}", remedy)


def _ask(
    data: str | None, root: Path | None, out: Path | None, labels: Path | None, limit: int | None, port: int
) -> None:
    """Serve the page until Ctrl-C; what is wrong ends it here, and not on the page."""
    from geosleuth.training.evaluate.human.answer_file import check_data, read_answers
    from geosleuth.ui.page.human.told import USE, Told, arguments_of

    if data is None or root is None or out is None:
        missing = [name for name, value in (("--data", data), ("--root", root), ("--out", out)) if value is None]
        raise InputError("a data set, its folder and a file for answers", f"no {' and no '.join(missing)}", USE)
    _check_libraries()
    from geosleuth.ui.page.human.desk import photos_of

    told = Told(data, _whole(root), _whole(out), _whole(labels) if labels else None, limit)
    name, photos = photos_of(told)
    _check_out(told.out)
    answers = read_answers(told.out)
    _check_answers(told.out, answers.lines, answers.damaged)
    check_data(answers, told.out, name)
    _check_port(port)
    typer.echo(f"{len(photos)} photos; {len(answers.last)} answers of {len(answers.people)} people so far.", err=True)
    typer.echo(f"The page is at http://{HOST}:{port} (end it with Ctrl-C).", err=True)
    serve(SCRIPT, streamlit_options(HOST, port), arguments_of(told))


def _check_libraries() -> None:
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        remedy = "Install it with `pip install 'geosleuth[chat]'`."
        raise InputError("the page's libraries", f"no {' and no '.join(missing)}", remedy)


def _check_out(out: Path) -> None:
    """See that the file can be added to, before anybody has thought about a photo."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("ab"):
            pass
    except OSError as error:
        remedy = "Name another with --out."
        raise InputError("a file to keep answers in", f"{out}: {error.strerror or error}", remedy) from error


def _check_answers(out: Path, lines: Sequence[object], damaged: Sequence[int]) -> None:
    """See that the file is one of answers, and not the data set's own table."""
    if damaged and not lines:
        found = f"{out}: {len(damaged):,} lines, and none is an answer"
        raise InputError("a file of people's answers, or a new one", found, "Name another with --out.")
    if damaged:
        first = ", ".join(map(str, damaged[:5]))
        words = f"{len(damaged):,} lines of {out} are damaged (the first: {first}): left as they are, and not counted."
        typer.echo(words, err=True)


def _check_port(port: int) -> None:
    try:
        check_port(HOST, port)
    except InputError as error:
        remedy = f"End what runs there, or choose another: --port {port % 65535 + 1}."
        raise InputError(f"port {port} of {HOST} for the page", error.found, remedy) from error


def _whole(path: Path) -> Path:
    return path.expanduser().absolute()
