"""The loop's memory of a case: one SQLite file, which can hold nothing but what the loop itself puts there."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.event_hooks import SerdeEvent, register_serde_event_listener
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from ormsgpack import MsgpackDecodeError
from pydantic import BaseModel

from geosleuth.agent.state import AgentState
from geosleuth.indexes.errors import InputError

STATE_FILE = "state.sqlite"
_WRITTEN = {"null", "bytes", "bytearray", "msgpack"}  # what the serializer writes; it would also read JSON constructors
# What SQLite reports of a disk, or of another program that reads: the file itself is whole.
_OF_THE_DISK = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
_BUSY_S = 10.0  # the run lock keeps others out: this is for a backup that reads the file


class DamagedStateError(InputError):
    """A case's state that cannot be used any more; what it saves is time, and deleting it loses nothing else."""


class StateSerializer(JsonPlusSerializer):
    """LangGraph's serializer, for the types of `AgentState` alone.

    LangGraph's own way with any other type is to hand its data on, in a warning: a state in which somebody has planted
    one is refused here as a whole.
    """

    def __init__(self) -> None:
        super().__init__(pickle_fallback=False, allowed_msgpack_modules=state_types())

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Read a value back.

        Raises:
            DamagedStateError: It breaks off, or holds, something that the loop never writes.
        """
        if data[0] not in _WRITTEN:
            raise _planted(f"a value of kind {data[0]!r}")
        blocked: list[str] = []
        here = threading.get_ident()

        def note(event: SerdeEvent) -> None:  # of all serializers of this process, in whatever thread
            if threading.get_ident() == here and "blocked" in event["kind"]:
                blocked.append(f"{event['module']}.{event['name']}")

        unregister = register_serde_event_listener(note)
        try:
            value = super().loads_typed(data)
        except MsgpackDecodeError as error:
            raise _damaged(f"a value that breaks off ({error})") from error
        finally:
            unregister()
        if blocked:
            raise _planted(f"an object of type {blocked[0]!r}")
        return value


def state_types() -> list[type[BaseModel]]:
    """Every pydantic model that stands in `AgentState`; messages are among LangGraph's own."""
    found: dict[type[BaseModel], None] = {}

    def collect(hint: Any) -> None:
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            found[hint] = None
        for part in get_args(hint):
            collect(part)

    for hint in get_type_hints(AgentState).values():
        collect(hint)
    return list(found)


def memory_saver() -> InMemorySaver:
    """Make a checkpointer that leaves nothing on the disk."""
    return InMemorySaver(serde=StateSerializer())


@contextlib.contextmanager
def sqlite_saver(path: Path) -> Iterator[Any]:
    """Open the checkpointer of one case, its file made on first use for its owner's eyes alone.

    Raises:
        DamagedStateError: It is no database, or one that breaks off.
        InputError: The library is missing, or the disk is full.
    """
    try:
        from langgraph.checkpoint.sqlite import SqliteSaver
    except ImportError as error:
        remedy = "Install it with `pip install 'geosleuth[chat]'`."
        raise InputError("langgraph-checkpoint-sqlite", "that it is not installed", remedy) from error
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its two side files the same rights
    # LangGraph writes from threads of its own; the saver has a lock.
    with contextlib.closing(sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection, serde=StateSerializer())
        try:
            saver.setup()  # which turns on the write-ahead log: a killed process leaves a whole file
            connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may cost the last step, never the file
            yield saver
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_DISK:  # the low byte; above it, more of the same
                remedy = "Free some space, allow writing there, and go on: what was found is kept."
                raise InputError("a state of the case that can be written", str(error), remedy) from error
            raise _damaged(str(error)) from error


def forget_state(folder: Path) -> None:
    """Delete the state of a case; the next question has the photos looked at afresh."""
    for path in folder.glob(f"{STATE_FILE}*"):  # with -wal and -shm
        path.unlink(missing_ok=True)


def _planted(what: str) -> DamagedStateError:
    return _damaged(f"{what}, which geosleuth never writes there: somebody changed the file")


def _damaged(found: str) -> DamagedStateError:
    remedy = (
        "Forget it with the button beside the case, or delete state.sqlite from the case's folder: photos and answers "
        "stay, and the photos are looked at afresh."
    )
    return DamagedStateError("the state of a case", found, remedy)
