"""`CaseStore`: the cases of one person, each a folder that holds all of it (docs/cases.md)."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from geosleuth.agent.cases.archive import archive
from geosleuth.agent.cases.case import Case, CasePhoto, Turn
from geosleuth.agent.cases.custody import CUSTODY_FILE, Custody, custody_of, word_hash
from geosleuth.agent.cases.disk import RUN_LOCK, locked, writable
from geosleuth.agent.cases.shelf import NAME_LENGTH, Shelf
from geosleuth.agent.cases.turns import asked_words, before_last_change, capped, without_words
from geosleuth.agent.cases.versions import settings_record, tool_versions
from geosleuth.agent.localization import Localization
from geosleuth.agent.precision import withheld_backends
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.indexes.photo_edit import Edit, edited
from geosleuth.indexes.photo_file import file_name
from geosleuth.indexes.whole_file import write_private

if TYPE_CHECKING:
    from geosleuth.agent.inquiry import Inquiry
    from geosleuth.agent.settings import Settings

_ENDINGS = {"JPEG": "jpg", "PNG": "png", "WebP": "webp", "HEIC": "heic", "TIFF": "tif", "GIF": "gif"}
_ANSWER = "the answer as it was given"


class CaseStore(Shelf):
    """The cases of one owner, and what is in them."""

    def export(self, case_id: str, *, originals: bool = False) -> bytes:
        """Return a zip archive of a case, and note that it was made.

        Under a precision cap photos, names and the investigator's words stay out: they may name the place.

        Args:
            case_id: Of the case.
            originals: Put the photos in, untouched: with the position, the time and the camera's number in their files.
        """
        with self._changing(case_id) as (folder, case):
            withheld = self.precision_cap_km is not None or not originals
            answers = {turn.number: self._answer_as_told(case, turn) for turn in case.turns if turn.finished}
            photos = {} if withheld else {one.file: self.original(case, i) for i, one in enumerate(case.photos)}
            case = self._commit(folder, case, "exported", {"photos": not withheld})
            custody = (folder / CUSTODY_FILE).read_bytes()
        self._audit("case exported", case)
        return archive(case, answers, photos, custody, self.precision_cap_km)

    def add_photo(self, case_id: str, content: bytes, name: str, edit: Edit | None = None) -> Case:
        """Keep a photo's bytes as they are; the same bytes again change nothing.

        Raises:
            InputError: It is no photo, one that cannot be decoded to its end, or too little is left by the edit.
        """
        photo = load_photo(content, name=file_name(Path(name))[:NAME_LENGTH] or "photo")
        edited(photo, edit or Edit())  # else nobody could open the case's photos any more
        with self._changing(case_id) as (folder, case):
            if any(one.sha256 == photo.sha256 for one in case.photos):
                return case
            kept = CasePhoto(
                name=photo.name,
                sha256=photo.sha256,
                edit=edit or Edit(),
                file=f"photos/{photo.sha256}.{_ENDINGS[photo.format]}",
                added=datetime.now(UTC),
            )
            write_private(folder / kept.file, content)
            details = {
                "name": word_hash(case.salt, kept.name),
                "sha256": kept.sha256,
                "bytes": len(content),
                "edit": kept.edit.model_dump(),
            }
            case = case.model_copy(update={"photos": (*case.photos, kept)})
            return self._commit(folder, case, "photo added", details)

    def photos(self, case: Case) -> list[Photo]:
        """Load the photos as they were edited.

        Raises:
            InputError: A file is missing, or is not the one that was added.
        """
        return [
            edited(load_photo(self.original(case, i), name=one.name), one.edit) for i, one in enumerate(case.photos)
        ]

    def original(self, case: Case, photo: int = 0) -> bytes:
        """Return a photo's untouched bytes, by its index.

        Raises:
            InputError: The file is missing, or is not the one that was added.
        """
        kept = _photo_of(case, photo)
        return _checked_bytes(self._folder_of(case.id) / kept.file, kept.sha256, "the photo as it was added")

    def begin_turn(
        self,
        case_id: str,
        inquiry: Inquiry,
        said: str = "",
        understood: str = "",
        *,
        undo: bool = False,
        settings: Settings | None = None,
    ) -> Case:
        """Note what is asked, before anything is done about it; the new turn is the case's last.

        Args:
            case_id: Of the case.
            inquiry: All that stands from now on.
            said: The investigator's words.
            understood: What was made of them.
            undo: `inquiry` is what `undo` returned.
            settings: With which it will be answered, where they may have changed since the last turn.
        """
        with self._changing(case_id) as (folder, case):
            turn = Turn(
                number=len(case.turns) + 1,
                at=datetime.now(UTC),
                said=said,
                understood=understood,
                inquiry=inquiry,
                undo=undo,
            )
            now = {"versions": tool_versions(), "settings": settings_record(settings) if settings else case.settings}
            changed = {key: value for key, value in now.items() if value != getattr(case, key)}
            photos = [{"sha256": one.sha256, "edit": one.edit.model_dump()} for one in case.photos]
            hashed = word_hash(case.salt, asked_words(turn))
            details = {"turn": turn.number, "hmac": hashed, "undo": undo, "photos": photos, **changed}
            case = case.model_copy(update={**changed, "turns": (*case.turns, turn)})
            return self._commit(folder, case, "asked", details)

    def finish_turn(self, case_id: str, number: int, answer: Localization) -> Case:
        """Keep a turn's answer, coarsened to the cap.

        Raises:
            InputError: There is no such turn, or it has its answer already: answers are written once.
        """
        with self._changing(case_id) as (folder, case):
            turn = _turn_of(case, number)
            if turn.finished:
                found = f"the answer of turn {number}, which is there"
                raise InputError("a turn without an answer", found, "Begin another turn.")
            answer = capped(answer, self.precision_cap_km)
            content = answer.model_dump_json().encode()
            name = f"answers/{number:04d}.json"
            write_private(folder / name, content)
            turn = turn.answered(name, hashlib.sha256(content).hexdigest(), answer)
            turns = tuple(turn if one.number == number else one for one in case.turns)
            details = {
                "turn": number,
                "sha256": turn.answer_sha256,
                "status": answer.status,
                "weights": withheld_backends(answer.backends),
                "version": answer.version,
            }
            case = self._commit(folder, case.model_copy(update={"turns": turns}), "answered", details)
        self._audit("case answered", case)
        return case

    def answer(self, case: Case, number: int = -1) -> Localization:
        """Read the answer of a turn, by its number from 1; -1 is the last one that there is.

        Raises:
            InputError: There is none, or it is not the one that was given.
        """
        turn = case.last_finished if number == -1 else _turn_of(case, number)
        if turn is None:
            raise _no_answer()
        return capped(_parsed(self._answer_bytes(case, turn)), self.precision_cap_km)

    def undo(self, case_id: str) -> Inquiry:
        """Return the inquiry before the last change; nothing is written: `begin_turn(..., undo=True)` takes it.

        Raises:
            InputError: There is nothing to take back.
        """
        return before_last_change(self.open(case_id).turns)

    @contextlib.contextmanager
    def checkpointer(self, case: Case) -> Iterator[Any]:
        """Open LangGraph's memory of a case, for the time of one turn: nobody else can run one meanwhile.

        Under a precision cap it is in this store's memory alone, as it holds exact positions.

        Raises:
            DamagedStateError: What is stored cannot be used; `forget_state` is the way out.
            InputError: A turn is at work already.
        """
        from geosleuth.agent.cases.checkpoints import STATE_FILE, forget_state, memory_saver, sqlite_saver

        folder = self._folder_of(case.id)
        with locked(folder, RUN_LOCK):
            if self.precision_cap_km is None:
                with sqlite_saver(folder / STATE_FILE) as saver:
                    yield saver
            else:
                forget_state(folder)  # from before the cap
                yield self._memories.setdefault(case.id, memory_saver())

    def forget_state(self, case_id: str) -> None:
        """Delete LangGraph's memory of a case, where it is damaged: the next turn looks at the photos afresh.

        Raises:
            InputError: A turn is at work.
        """
        from geosleuth.agent.cases.checkpoints import forget_state

        folder = self._folder_of(case_id)
        with writable(folder), locked(folder, RUN_LOCK):
            forget_state(folder)
            self._memories.pop(case_id, None)

    def custody(self, case: Case) -> Custody:
        """Return the chain of custody, checked, for the report; under a cap without the names of files."""
        weights = self.answer(case).backends if case.last_finished else {}
        if self.precision_cap_km is not None:
            case = without_words(case)
        return custody_of(case, self._folder_of(case.id), withheld_backends(weights))

    def _answer_bytes(self, case: Case, turn: Turn) -> bytes:
        if turn.answer is None or turn.answer_sha256 is None:
            raise _no_answer()
        return _checked_bytes(self._folder_of(case.id) / turn.answer, turn.answer_sha256, _ANSWER)

    def _answer_as_told(self, case: Case, turn: Turn) -> bytes:
        """The very bytes that were kept, as their hash is known; others only where a cap came later."""
        kept = self._answer_bytes(case, turn)
        answer = _parsed(kept)
        told = capped(answer, self.precision_cap_km)
        return kept if told is answer else told.model_dump_json().encode()


def _parsed(content: bytes) -> Localization:
    try:
        return Localization.model_validate_json(content)
    except ValidationError as error:
        found = f"one of another version of geosleuth ({error.errors()[0]['msg'].lower()})"
        raise InputError(
            "an answer that can be read", found, "Ask again in a new case with the same photos."
        ) from error


def _checked_bytes(path: Path, sha256: str, wanted: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(wanted, f"{path.name}: {error.strerror}", "Restore the case's folder from a copy.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        found = f"{path.name} with other content: somebody changed it, or the disk did"
        raise InputError(wanted, found, "Restore the case's folder from a copy.")
    return content


def _photo_of(case: Case, photo: int) -> CasePhoto:
    if not 0 <= photo < len(case.photos):
        found = f"number {photo + 1}" if case.photos else "none yet"
        raise InputError("one of the case's photos", found, f"The case has {len(case.photos)}.")
    return case.photos[photo]


def _turn_of(case: Case, number: int) -> Turn:
    if not 1 <= number <= len(case.turns):
        raise InputError("one of the case's turns", f"number {number}", f"The case has {len(case.turns)}.")
    return case.turns[number - 1]


def _no_answer() -> InputError:
    return InputError("an answer", "a turn that has none yet", "Ask first, or let the turn end.")
