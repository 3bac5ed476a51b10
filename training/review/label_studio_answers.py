"""Label Studio's export, format "JSON", as decisions of its annotators."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_x.record import Reasons
from geosleuth.training.review.decision import WHY, Accept, Decision, Edit, Rate, Reject, what_it_says
from geosleuth.training.review.decisions_file import append
from geosleuth.training.review.exchange import Imported
from geosleuth.training.review.folder import Review, check_reviewer
from geosleuth.training.review.item import Item, PairItem
from geosleuth.training.review.label_studio_tasks import PARTS, VERDICTS
from geosleuth.training.review.scales import SCALES
from geosleuth.training.review.standing import standing


class _Result(BaseModel):
    model_config = ConfigDict(extra="ignore")

    from_name: str = ""  # relations between regions have none
    value: dict[str, Any] = Field(default_factory=dict)


class _Annotation(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: int | str = ""
    completed_by: int | dict[str, Any] | None = None
    result: list[_Result]
    was_cancelled: bool = False  # skipped
    created_at: AwareDatetime
    updated_at: AwareDatetime | None = None

    @property
    def at(self) -> datetime:
        return self.updated_at or self.created_at


class _Task(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: dict[str, Any]
    annotations: list[_Annotation]


_export = TypeAdapter(list[_Task])


def import_annotations(review: Review, path: Path, names: Mapping[str, str] | None = None) -> Imported:
    """Add what annotators said; what somebody says already is not added again.

    Label Studio does not tell whether an annotator saw another's annotation: all are taken for blind.

    Args:
        review: The review that the tasks were made of.
        path: The export.
        names: Annotator (number or e-mail address) -> reviewer; others are called label-studio-NUMBER.

    Raises:
        InputError: It is no such export, none of its tasks are of this review, or a name cannot be a reviewer's.
    """
    exported = _read(path)
    ours = [task for task in exported if task.data.get("item_id") in review.numbers]
    if not ours:
        found = f"{len(exported)} tasks, none with an item_id of {review.path}"
        raise InputError(f"tasks of this review in {path}", found, "Import it into the review it was exported from.")
    left_out = [f"no item of this review: {task.data.get('item_id')!r}" for task in exported if task not in ours]
    added = known = 0
    said = standing(review)
    for reviewer, item, annotation in _in_order(review, ours, names or {}):
        read = _decision(item, annotation)
        if isinstance(read, str):
            left_out.append(f"{item.id}, {reviewer}: {read}")
            continue
        there = said.mine(reviewer).get(item.id)
        if there is not None and (what_it_says(there) == what_it_says(read) or there.at >= read.at):
            known += 1
            continue
        append(review, reviewer, read)
        added += 1
    return Imported(added, known, tuple(left_out))


def _in_order(review: Review, tasks: Sequence[_Task], names: Mapping[str, str]) -> list[tuple[str, Item, _Annotation]]:
    """Return the last annotation of each task by each annotator, the oldest first."""
    last: dict[tuple[str, str], _Annotation] = {}
    for task in tasks:
        for one in sorted(task.annotations, key=lambda annotation: annotation.at):
            last[_reviewer(one, names), task.data["item_id"]] = one
    found = [(reviewer, review.items[review.numbers[item]], one) for (reviewer, item), one in last.items()]
    return sorted(found, key=lambda entry: entry[2].at)


def _reviewer(annotation: _Annotation, names: Mapping[str, str]) -> str:
    """Name the annotator: a number, or an object with id and email in exports that spell users out."""
    who = annotation.completed_by
    number = str(who.get("id", "")) if isinstance(who, dict) else "" if who is None else str(who)
    email = str(who.get("email", "")) if isinstance(who, dict) else ""
    if (given := names.get(email) or names.get(number)) is not None:
        return check_reviewer(given)
    return check_reviewer(f"label-studio-{re.sub(r'[^0-9A-Za-z-]', '', number)[:12] or 'unknown'}")


def _decision(item: Item, annotation: _Annotation) -> Decision | str:
    """Return what was decided, or why it cannot be read."""
    if annotation.was_cancelled:
        return "skipped by the annotator"
    given = {one.from_name: one.value for one in annotation.result}
    kind = item.kind
    verdict = _chosen(given.get("verdict"), VERDICTS[kind])
    about: dict[str, Any] = {"item": item.id, "at": annotation.at, "via": "label-studio"}
    about["note"] = " ".join(_texts(given.get("note")))[:500]
    try:
        if verdict == "reject":
            why = _chosen(given.get("why"), dict(WHY))
            return Reject.model_validate(about | {"why": why}) if why else "rejected without a reason"
        if verdict == "rate":
            return Rate.model_validate(about | {name: given.get(name, {}).get("rating") for name in SCALES})
        if isinstance(item, PairItem) and verdict:
            return _kept(item, verdict, given, about)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return "no verdict"


def _kept(
    item: PairItem, verdict: str, given: Mapping[str, Mapping[str, Any]], about: dict[str, Any]
) -> Decision | str:
    texts = {name: _texts(given.get(name)) for name in PARTS}
    untouched = not any(texts.values())
    edited = Reasons(
        agreeing=tuple(texts["agreeing"]),
        disagreeing=tuple(texts["disagreeing"]),
        conclusion=" ".join(texts["conclusion"]) or item.explanation.conclusion,
    )
    same = untouched or edited == item.explanation
    if verdict == "accept":  # accepted and yet another text: which of the two was meant, nobody can tell
        return Accept(**about) if same else "accepted, with a changed text: choose Edit, or restore the text"
    return "edited, with the same text" if same else Edit(edited=edited, **about)


def _chosen(value: Mapping[str, Any] | None, options: Mapping[Any, str]) -> str | None:
    """Return the key of what was chosen: exports have the alias, some the words."""
    chosen = (value or {}).get("choices") or [None]
    return next((key for key, words in options.items() if chosen[0] in (key, words)), None)


def _texts(value: Mapping[str, Any] | None) -> list[str]:
    given = (value or {}).get("text") or []
    given = [given] if isinstance(given, str) else given
    return [line.strip() for text in given for line in str(text).splitlines() if line.strip()]


def _read(path: Path) -> list[_Task]:
    remedy = 'Export from Label Studio in the format "JSON" (not JSON-MIN, CSV or others).'
    try:
        return _export.validate_python(json.loads(path.read_bytes()))
    except OSError as error:
        raise InputError("a file to import", f"{path}: {error.strerror or error}", "Name an export.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        found = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise InputError(f"Label Studio's JSON in {path}", found, remedy) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"Label Studio's JSON in {path}", str(error)[:80], remedy) from error
