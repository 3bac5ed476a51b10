"""One pair's explanation: asked for, checked, asked for once more where a check fails, and then given up."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.load import SharedModel
from geosleuth.tools.vlm.structured import Unreadable, read_as
from geosleuth.training.gleam_x.checks import Failed, contradictions, failed_checks
from geosleuth.training.gleam_x.consistency import consistent
from geosleuth.training.gleam_x.ledger import Answer, Asked, Ledger, digest_of
from geosleuth.training.gleam_x.limits import Limits, OneQuestion
from geosleuth.training.gleam_x.record import Label, PairRecord, Reasons
from geosleuth.training.gleam_x.second_look import Look, features_of, looks
from geosleuth.training.gleam_x.teacher_prompt import (
    Judged,
    PairPictures,
    Told,
    again,
    open_pictures,
    reasons_of,
    teacher_prompt,
)

if TYPE_CHECKING:
    from geosleuth.tools.vlm.model import Prompt, VisionLanguageModel

Found = TypeVar("Found")

# Features of an explanation that are in neither picture; on towns the scene's own list says so.
Imagined = Callable[[PairRecord, Reasons], Sequence[str]]

# Three features of each kind and a sentence take some 200 tokens, in Chinese some 300; the rest is for models that
# think first.
ANSWER_TOKENS = 1024
_APART = 0.7  # temperature of several samples, as in arXiv 2203.11171; a single one is greedy


@dataclass(frozen=True)
class How:
    """How a teacher is asked."""

    teacher: str
    with_label: bool = True
    samples: int = 1
    second_look: str | None = None  # spec of the model that takes it, or a word for what does

    @property
    def settings(self) -> dict[str, str | bool | int | None]:
        """What may not change within a folder; where a server is may."""
        looks_again = self.second_look and model_name(self.second_look)
        return {**asdict(self), "teacher": model_name(self.teacher), "second_look": looks_again}


def model_name(spec: str) -> str:
    """Which model a spec names, wherever it is served."""
    backend = parse_backend(spec) if ":" in spec else None
    return backend.name if backend and backend.base == "openai" else spec


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a pair."""

    record: PairRecord  # with the explanation, where one passed
    failed: tuple[Failed, ...] = ()  # why there is none
    text: str = ""  # the last answer, where there is none
    asked_again: int = 0


@dataclass(frozen=True, eq=False)
class _Sample:
    reasons: Reasons | None
    label: Label  # that it explains
    own: Label | None  # the teacher's own verdict
    failed: tuple[Failed, ...]
    text: str
    asked_again: bool = False


class Asker:
    """Asks one model; several threads may use it where the model is on a server."""

    def __init__(
        self,
        model: SharedModel,
        how: How,
        ledger: Ledger,
        limits: Limits,
        root: Path,
        *,
        looks_again: SharedModel | None = None,
        knows: Imagined | None = None,
    ) -> None:
        self._model, self._how, self._ledger, self._limits, self._root = model, how, ledger, limits, root
        self._looks_again, self._knows = looks_again, knows
        self._one_at_a_time = Lock()  # local models take turns

    def explain(self, record: PairRecord) -> Outcome:
        """Explain a pair.

        Raises:
            UnreadableError: A picture cannot be read.
            InputError: The model gave no answer.
            StoppedError: Nothing more is to be sent.
        """
        pictures = open_pictures(record, self._root)
        asked = teacher_prompt(record, pictures, with_label=self._how.with_label)
        samples = [self._sample(record, asked, pictures, number) for number in range(self._how.samples)]
        repeated = sum(one.asked_again for one in samples)
        good = [one for one in samples if not one.failed]
        if not good:
            return Outcome(record, samples[-1].failed, samples[-1].text, repeated)
        agreed = good[0] if self._how.samples == 1 else self._agreed(good)
        if agreed.failed or agreed.reasons is None:
            return Outcome(record, agreed.failed, agreed.text, repeated)
        changes = {"explanation": agreed.reasons, "teacher": self._how.teacher, "teacher_label": agreed.own}
        return Outcome(record.model_copy(update=changes), asked_again=repeated)

    def _agreed(self, good: Sequence[_Sample]) -> _Sample:
        """What most samples name, of those whose verdict most have."""
        (label, votes) = Counter(one.label for one in good).most_common(1)[0]
        same = [one for one in good if one.label == label]
        first = replace(same[0], reasons=None)
        if 2 * votes <= self._how.samples:
            return replace(first, failed=(Failed("verdicts", "fewer than half of the samples agree and pass"),))
        reasons = consistent([one.reasons for one in same if one.reasons], of=self._how.samples)
        if reasons is None:
            return replace(first, failed=(Failed("contradiction", "most samples name no feature in common"),))
        return replace(first, reasons=reasons, failed=tuple(contradictions(reasons, label)))

    def _sample(self, record: PairRecord, asked: Prompt, pictures: PairPictures, number: int) -> _Sample:
        answer = self._answer(asked, pictures.digests, number)
        first = self._checked(record, answer, pictures)
        if not first.failed:
            return first
        repeated = again(asked, answer.text, [str(one) for one in first.failed], record.lang)
        second = self._checked(record, self._answer(repeated, pictures.digests, number), pictures)
        return replace(second, asked_again=True)

    def _checked(self, record: PairRecord, answer: Answer, pictures: PairPictures) -> _Sample:
        written = read_as(answer.text, Told if self._how.with_label else Judged)
        readable = not isinstance(written, Unreadable)
        reasons = reasons_of(written) if readable else None  # type: ignore[arg-type]
        own = written.verdict if readable else None  # type: ignore[union-attr]
        label = own or record.label
        failed = failed_checks(reasons, label, record.lang, finished=answer.finish != "length")
        if reasons is not None and not failed:  # a second look costs: only at what is good otherwise
            failed += [
                Failed("imagined", f'"{feature[:60]}" is in neither picture')
                for feature in self._imagined(record, reasons, pictures)
            ]
        return _Sample(reasons, label, own, tuple(failed), answer.text)

    def _answer(self, asked: Prompt, digests: Mapping[int, str], sample: int) -> Answer:
        """The answer in the ledger, or a new one."""
        temperature = _APART if self._how.samples > 1 else 0.0
        question = Asked(model_name(self._how.teacher), asked, digests, ANSWER_TOKENS, temperature, sample)
        digest = question.digest
        if known := self._ledger.answers.get(digest):
            return known
        self._ledger.request(question)
        started = time.perf_counter()

        def ask(view: VisionLanguageModel) -> Answer:
            schema = Told if self._how.with_label else Judged
            ((reply,),) = view.generate(
                [asked], max_tokens=ANSWER_TOKENS, temperature=temperature, seed=sample, schema=schema
            )
            finish = "stop" if reply.finished else "length"
            seconds = round(time.perf_counter() - started, 3)
            return Answer(
                text=reply.text,
                finish=finish,
                prompt_tokens=reply.prompt_tokens,
                tokens=reply.tokens,
                seconds=seconds,
            )

        answer = self._asking(self._model, digest, ask)
        self._ledger.answer(digest, answer)
        return answer

    def _imagined(self, record: PairRecord, reasons: Reasons, pictures: PairPictures) -> Sequence[str]:
        found = list(self._knows(record, reasons)) if self._knows else []
        if self._looks_again:
            found += [one.feature for one in self._looked(self._looks_again, reasons, pictures) if one.imagined]
        return found

    def _looked(self, model: SharedModel, reasons: Reasons, pictures: PairPictures) -> list[Look]:
        """Look for the features that nobody has looked for in these pictures yet."""
        from geosleuth.tools.vlm.endpoint import Endpoint
        from geosleuth.training.gleam_x.kept_server import kept_view

        shown = (pictures.photo, pictures.candidate)
        files = [pictures.digests[id(one)] for one in shown]
        about = {
            feature: {"model": model_name(model.spec), "feature": feature, "pictures": files}
            for feature in features_of(reasons)
        }
        digests = {feature: digest_of({"look": one}) for feature, one in about.items()}
        fresh = [feature for feature in about if digests[feature] not in self._ledger.looks]
        if fresh:
            if isinstance(model, Endpoint):
                with self._said(None), kept_view(model, self._ledger, self._limits, pictures.digests) as view:
                    found = looks(fresh, shown, view)
            else:
                found = self._asking(model, digests[fresh[0]], lambda view: looks(fresh, shown, view))
            for one in found:
                self._ledger.look(digests[one.feature], (one.photo, one.candidate), about[one.feature])
        return [Look(feature, *self._ledger.looks[digest]) for feature, digest in digests.items()]

    def _asking(self, model: SharedModel, digest: str, ask: Callable[[VisionLanguageModel], Found]) -> Found:
        """Ask a model within the limits; a server's every request is counted before it is sent."""
        from geosleuth.tools.vlm.endpoint import Endpoint

        with self._said(digest):
            if isinstance(model, Endpoint):
                return ask(model.for_photo(OneQuestion(self._limits, digest)))
            with self._one_at_a_time:
                self._limits.draw(digest)
                return ask(model.for_photo())

    @contextlib.contextmanager
    def _said(self, digest: str | None) -> Iterator[None]:
        """Keep whether a question was answered; None: its requests are kept elsewhere."""
        try:
            yield
        except InputError as error:
            if digest is not None:
                self._ledger.fail(digest, str(error))
            self._limits.failed(str(error))
            raise
        self._limits.answered()
