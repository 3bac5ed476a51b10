"""How a command behaves in a shell: its exit codes, its log, and a stdout that holds the answer alone."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import typer

from geosleuth.agent.printable import PrintableLog, printable, printable_lines, wordless_trace
from geosleuth.indexes.errors import InputError

BAD_INPUT = 2  # what command lines use for a wrong call, too
NOT_LOCATABLE = 3
INTERRUPTED = 128 + int(signal.SIGINT)  # as shells say it


@contextlib.contextmanager
def exits(interrupted: str = "Interrupted.") -> Iterator[None]:
    """Turn what users can cause into words on stderr and an exit code, without a trace-back."""
    try:
        yield
    except InputError as error:
        explain(error)
        raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt:
        typer.echo(interrupted, err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader (head, less) has gone. Python flushes stdout again at exit: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise typer.Exit(128 + 13) from None  # as a program that SIGPIPE ends


def explain(error: InputError) -> None:
    """Say on stderr, in three lines, what was wanted, what was found, and what to do."""
    for label, part in (("Wanted", error.wanted), ("Found", error.found), ("Do", error.remedy)):
        typer.echo(f"{label + ':':<8}{printable(part)}", err=True)


@contextlib.contextmanager
def logs_to_stderr(verbose: bool, *, failures: bool = True) -> Iterator[None]:
    """Log to stderr while a command runs: warnings, and that tables are being compiled, or all of ours."""
    import warnings

    levels = {
        "geosleuth": logging.INFO if verbose else logging.WARNING,
        "geosleuth.indexes.compiled": logging.INFO,  # the first use takes half a minute: say why
        "geosleuth.agent.tool_run": logging.NOTSET if failures else logging.ERROR,  # of tools, which end no run
    }
    before = {name: logging.getLogger(name).level for name in levels}
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableLog("%(name)s: %(message)s" if verbose else "%(message)s", words=verbose))
    logging.getLogger("geosleuth").addHandler(handler)
    _set_levels(levels)
    with warnings.catch_warnings(), contextlib.nullcontext() if verbose else _wordless_traces():
        if not verbose:
            warnings.simplefilter("ignore")  # of libraries, to their programmers
        try:
            yield
        finally:
            logging.getLogger("geosleuth").removeHandler(handler)
            _set_levels(before)


@contextlib.contextmanager
def _wordless_traces() -> Iterator[None]:
    """Keep errors' words out of other libraries' logs, too: Streamlit's loggers write a page's fault by themselves.

    Formatters write a trace that a record has already. To replace theirs would not last: Streamlit makes them anew.
    """
    make = logging.getLogRecordFactory()

    def made(*given: Any, **named: Any) -> logging.LogRecord:
        record = make(*given, **named)
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = printable_lines(wordless_trace(record.exc_info[1]))
        return record

    logging.setLogRecordFactory(made)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)


def _set_levels(levels: dict[str, int]) -> None:
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@contextlib.contextmanager
def stdout_kept_for_the_answer() -> Iterator[None]:
    """Send to stderr what libraries, those in C too, write to stdout."""
    try:
        kept = os.dup(1)
    except OSError:  # stdout is closed
        yield
        return
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
