"""A review as tasks for Label Studio, and the labelling configuration that shows them.

Import the tasks (a JSON list, each with `data` and `predictions`) into a project with this configuration. Pictures are
not copied: Label Studio serves them from its disk. It must be started with
LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=the folder that holds the
review's root folder, and the project needs a local source storage whose path is that root folder (not to be synced).
A picture is then `/data/local-files/?d=ROOT'S NAME/PATH`; another beginning can be given.

Formats: Label Studio's guide, "Task format", "Import pre-annotated data", "Local storage", and its tags' reference.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from geosleuth.training.gleam_x.record import Reasons
from geosleuth.training.review.decision import REJECTABLE, WHY
from geosleuth.training.review.folder import Review
from geosleuth.training.review.item import Item, Kind, PairItem
from geosleuth.training.review.scales import HIGHEST, SCALES

LOCAL_FILES = "/data/local-files/?d="
PARTS = {"agreeing": "Agreeing", "disagreeing": "Disagreeing", "conclusion": "Conclusion"}  # of an explanation
VERDICTS: dict[Kind, dict[str, str]] = {
    "pair": {"accept": "Accept", "edit": "Edit", "reject": "Reject"},
    "reasons": {"rate": "Rate", "reject": "Reject"},
}
LABELS = {"match": "The same place", "no_match": "Not the same place"}
_OBJECT: dict[Kind, str] = {"pair": "query", "reasons": "photo"}  # what controls are attached to
_FEATURES = 3  # of each kind, as the verifier writes them
_SIDE_BY_SIDE = "display: grid; grid-template-columns: 1fr 1fr; column-gap: 8px"


def tasks(review: Review, beginning: str | None = None) -> list[dict[str, Any]]:
    """Return the tasks, one an item.

    Args:
        review: The review.
        beginning: What stands before a picture's path in its address.
    """
    before = beginning if beginning is not None else f"{LOCAL_FILES}{quote(review.root.name)}/"
    return [_task(item, before) for item in review.items]


def labelling_config(kind: Kind) -> str:
    """Return the configuration as XML."""
    view = ElementTree.Element("View")
    if kind == "pair":
        pictures = ElementTree.SubElement(view, "View", style=_SIDE_BY_SIDE)
        for name in ("query", "reference"):
            ElementTree.SubElement(pictures, "Image", name=name, value=f"${name}", zoom="true", zoomControl="true")
        _text(view, "label", "The label that the pair has")
        _text(view, "original", "The explanation")
    else:
        ElementTree.SubElement(view, "Image", name="photo", value="$photo", zoom="true", zoomControl="true")
        _text(view, "answer", "The answer, and its reasons")
    to = _OBJECT[kind]
    _choices(view, "verdict", to, VERDICTS[kind], required="true", showInline="true")
    if kind == "pair":
        _header(view, "The explanation to edit: what is changed here counts only with Edit")
        for name, title in PARTS.items():
            _header(view, title)
            most = "1" if name == "conclusion" else str(_FEATURES)
            _area(view, name, to, maxSubmissions=most, editable="true")
    else:
        for name, scale in SCALES.items():
            meanings = "; ".join(f"{value}: {words}" for value, words in enumerate(scale.values, start=1))
            _header(view, f"{scale.name}. {scale.question} {meanings}")
            ElementTree.SubElement(view, "Rating", name=name, toName=to, maxRating=str(HIGHEST))
    _header(view, "If rejected: why?")
    _choices(view, "why", to, {why: WHY[why] for why in REJECTABLE[kind]})
    _header(view, "A note")
    _area(view, "note", to, maxSubmissions="1", editable="true")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _task(item: Item, before: str) -> dict[str, Any]:
    addresses = [before + quote(shown.path) for shown in item.pictures]
    if isinstance(item, PairItem):
        data = {
            "item_id": item.id,
            "query": addresses[0],
            "reference": addresses[1],
            "label": LABELS[item.record.label],
            "lang": item.record.lang,
            "original": in_words(item.explanation),
        }
        return {"data": data, "predictions": [_prediction(item)]}
    reasons = "\n".join(f"- {reason}" for reason in item.reasons)
    answer = f"Country: {item.country or 'not said'}\nCity: {item.city or 'not said'}\n{reasons}"
    return {"data": {"item_id": item.id, "photo": addresses[0], "answer": answer}, "predictions": []}


def in_words(explanation: Reasons) -> str:
    """Return an explanation as plain text."""
    lines = [f"{PARTS['agreeing']}:", *(f"- {one}" for one in explanation.agreeing)]
    lines += [f"{PARTS['disagreeing']}:", *(f"- {one}" for one in explanation.disagreeing)]
    return "\n".join([*lines, f"{PARTS['conclusion']}: {explanation.conclusion}"])


def _prediction(item: PairItem) -> dict[str, Any]:
    """Fill the fields with the teacher's words, to be edited."""
    texts = {
        "agreeing": list(item.explanation.agreeing),
        "disagreeing": list(item.explanation.disagreeing),
        "conclusion": [item.explanation.conclusion],
    }
    result = [
        {"id": name, "from_name": name, "to_name": _OBJECT["pair"], "type": "textarea", "value": {"text": text}}
        for name, text in texts.items()
        if text
    ]
    return {"model_version": item.record.teacher or "unknown", "result": result}


def _header(view: ElementTree.Element, words: str) -> None:
    ElementTree.SubElement(view, "Header", value=words, size="5")


def _text(view: ElementTree.Element, name: str, title: str) -> None:
    _header(view, title)
    ElementTree.SubElement(view, "Text", name=name, value=f"${name}")


def _area(view: ElementTree.Element, name: str, to: str, **more: str) -> None:
    ElementTree.SubElement(view, "TextArea", {"name": name, "toName": to, "rows": "2", **more})


def _choices(view: ElementTree.Element, name: str, to: str, options: dict[Any, str], **more: str) -> None:
    """Add a choice of one; what is exported is the alias."""
    choices = ElementTree.SubElement(view, "Choices", {"name": name, "toName": to, "choice": "single-radio", **more})
    for alias, words in options.items():
        ElementTree.SubElement(choices, "Choice", value=words, alias=alias)
