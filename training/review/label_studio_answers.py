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
from geosleuth.training.review.folder import Review, check_apart, check_reviewer
from geosleuth.training.review.item import Item, PairItem
from geosleuth.training.review.label_studio_tasks import PARTS, VERDICTS
from geosleuth.training.review.scales import SCALES
from geosleuth.training.review.standing import standing

_NUMBER = re.compile(r"[0-9A-Za-z-]{1,12}")  # of an annotator: what the rest of a reviewer's name may be


class _Value(BaseModel):
    """What a control says: each of ours fills in one of these."""

    model_config = ConfigDict(extra="ignore")

    choices: list[str] = Field(default_factory=list)
    text: str | list[str] = Field(default_factory=list)
    rating: int | None = None


class _Result(BaseModel):
    model_config = ConfigDict(extra="ignore")

    from_name: str = ""  # relations between regions have none
    value: _Value = Field(default_factory=_Value)


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


class _Data(BaseModel):
    model_config = ConfigDict(extra="ignore")

    item_id: Any = None


class _Task(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: _Data
    annotations: list[_Annotation]

    @property
    def item(self) -> str:
        """Id of the item; of other projects' tasks whatever stands there."""
        return str(self.data.item_id)


_export = TypeAdapter(list[_Task])


def import_annotations(review: Review, path: Path, names: Mapping[str, str] | None = None) -> Imported:
    """Add what annotators said; what somebody says already is not added again.

    Label Studio does not tell whether an annotator saw another's annotation: all are taken for blind.

    Args:
        review: The review that the tasks were made of.
        path: The export.
        names: Annotator (number or e-mail address) -> reviewer; others are called label-studio-NUMBER. Who has no
            number either is left out: two of them would be one reviewer.

    Raises:
        InputError: It is no such export, none of its tasks are of this review, or a name cannot be a reviewer's.
    """
    exported = _read(path)
    ours = [task for task in exported if task.item in review.numbers]
    if not ours:
        found = f"{len(exported)} tasks, none with an item_id of {review.path}"
        raise InputError(f"tasks of this review in {path}", found, "Import it into the review it was exported from.")
    left_out = [f"no item of this review: {task.item!r}" for task in exported if task.item not in review.numbers]
    added = known = 0
    said = standing(review)
    last = _last(ours, names or {}, left_out)
    check_apart([*review.reviewers(), *sorted({reviewer for reviewer, _ in last})])
    for (reviewer, item_id), annotation in sorted(last.items(), key=lambda entry: entry[1].at):
        item = review.items[review.numbers[item_id]]
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


def _last(tasks: Sequence[_Task], names: Mapping[str, str], left_out: list[str]) -> dict[tuple[str, str], _Annotation]:
    """Return the last annotation of each item by each reviewer; tell of those that are nobody's."""
    last: dict[tuple[str, str], _Annotation] = {}
    for task in tasks:
        for one in sorted(task.annotations, key=lambda annotation: annotation.at):
            reviewer = _reviewer(one, names)
            if reviewer is None:
                left_out.append(f"{task.item}, annotation {one.id}: no annotator with a number, nor one named")
            else:
                last[reviewer, task.item] = one
    return last


def _reviewer(annotation: _Annotation, names: Mapping[str, str]) -> str | None:
    """Name the annotator: a number, or an object with id and email in exports that spell users out."""
    who = annotation.completed_by
    number = str(who.get("id", "")) if isinstance(who, dict) else "" if who is None else str(who)
    email = str(who.get("email", "")) if isinstance(who, dict) else ""
    if (given := names.get(email) or names.get(number)) is not None:
        return check_reviewer(given)
    return f"label-studio-{number}" if _NUMBER.fullmatch(number) else None


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
            return Rate.model_validate(about | {name: given[name].rating for name in SCALES if name in given})
        if isinstance(item, PairItem) and verdict:
            return _kept(item, verdict, given, about)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return "no verdict"


def _kept(item: PairItem, verdict: str, given: Mapping[str, _Value], about: dict[str, Any]) -> Decision | str:
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


def _chosen(value: _Value | None, options: Mapping[Any, str]) -> str | None:
    """Return the key of what was chosen: exports have the alias, some the words."""
    chosen = value.choices[0] if value and value.choices else None
    return next((key for key, words in options.items() if chosen in (key, words)), None)


def _texts(value: _Value | None) -> list[str]:
    given = value.text if value else []
    texts = [given] if isinstance(given, str) else given
    return [line.strip() for text in texts for line in text.splitlines() if line.strip()]


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
