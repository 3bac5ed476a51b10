"""Explanations of pairs by a teacher: a large model behind an OpenAI-compatible server that is given the true label.

The folder that they go to:

    settings.json     how the teacher is asked; the folder is for this way alone
    ledger.jsonl      every question and answer (`ledger.py`): nothing that was answered is paid for again
    explained.jsonl   the pairs with explanations that passed the checks, in the order of the records; then those of
                      other pairs that were explained here before
    rejected.jsonl    the others: record, the checks that failed, the last answer
    report.json       what the last run came to

Only the ledger is paid for: the other files are made of it anew by each run, and a run that is killed goes on from it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Lock

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.endpoint_server import AT_ONCE, at_once
from geosleuth.tools.vlm.load import SharedModel, VlmOptions, load_vlm
from geosleuth.training.gleam_x.asking import Asker, How, Imagined, Outcome
from geosleuth.training.gleam_x.explanations_folder import (
    explained_before,
    explained_now,
    explanations_folder,
    write_outcomes,
)
from geosleuth.training.gleam_x.ledger import NAME, Ledger
from geosleuth.training.gleam_x.limits import Limits, StoppedError
from geosleuth.training.gleam_x.record import PairRecord
from geosleuth.training.gleam_x.record_file import key_of
from geosleuth.training.gleam_x.teacher_prompt import UnreadableError

logger = logging.getLogger(__name__)

_TIMEOUT_S = 120.0  # a teacher that thinks first takes longer than a verifier; nobody waits at a screen
_KNOWN = "the list of the scene"  # took the second look, not a model
_REASONS_KEPT = 3  # of failures, in the report


@dataclass(frozen=True, slots=True)
class ExplainingProgress:
    """A moment of a run."""

    done: int  # pairs in a language
    total: int
    rejected: int
    requests: int  # sent in this run


OnProgress = Callable[[ExplainingProgress], None]


@dataclass(frozen=True)
class Explained:
    """What a run came to."""

    folder: Path
    total: int  # pairs in a language
    explained: int  # with an explanation that passed, those that had one before included
    rejected: int  # set aside: their answers failed the checks twice
    failed: int  # without an answer; the next run asks again
    unreadable: int  # a picture is missing or damaged
    left: int  # not asked, because the run stopped
    asked_again: int  # answers that failed a check and were asked for once more
    checks: dict[str, int]  # which checks the rejected failed
    disagreeing: int  # explained pairs whose teacher, not told the label, judged otherwise
    requests: int  # HTTP requests of this run, repetitions included
    requests_in_all: int  # of all runs in this folder
    tokens_in_all: int  # read and written, as far as the server counts them
    seconds: float
    others: int = 0  # pairs of other runs in this folder, which keep their explanations
    stopped: str | None = None  # why the run ended early
    within_budget: bool = True  # False: it ended because a server answers no more
    failures: tuple[str, ...] = field(default=())  # the first few

    @property
    def complete(self) -> bool:
        """Whether every pair was answered."""
        return not (self.left or self.failed or self.unreadable)


@dataclass
class _Tally:
    """What the threads have found so far."""

    outcomes: dict[int, Outcome] = field(default_factory=dict)  # by the record's number
    rejected: int = 0
    failures: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @property
    def done(self) -> int:
        return len(self.outcomes) + len(self.failures) + len(self.unreadable)


def explain_pairs(
    records: Sequence[PairRecord],
    root: Path,
    teacher: str,
    out: Path,
    *,
    budget_requests: int | None = None,
    budget_tokens: int | None = None,
    requests_per_minute: float | None = None,
    concurrency: int = 4,
    samples: int = 1,
    with_label: bool = True,
    second_look: str | Imagined | None = None,
    options: VlmOptions | None = None,
    progress: OnProgress | None = None,
) -> Explained:
    """Have a teacher explain pairs; interrupted, killed or out of budget, the same call goes on.

    Args:
        records: Pairs; one that has an explanation is kept as it is.
        root: Of the data set.
        teacher: openai:MODEL@URL; the key is read from the environment, and no picture goes anywhere else.
        out: The folder.
        budget_requests: HTTP requests to servers in all, those of earlier runs in this folder and repetitions included.
        budget_tokens: Read and written in all; what is under way when it is spent is still answered.
        requests_per_minute: The pace; evenly spaced.
        concurrency: Questions at once, 1 to 8.
        samples: Answers per pair; of several, only features that most of them name are kept.
        with_label: False: the teacher judges by itself, for the comparison; its verdict is `teacher_label`.
        second_look: A model that looks for each named feature in both pictures, by its spec; or a function that knows,
            as of invented towns (`training.towns.language.truth.SceneTruth(root).imagined`).
        options: How the models are run.
        progress: Told after each pair.

    Raises:
        InputError: There are no pairs, or no pictures of them below the root; the folder is of another run or in use,
            or the models cannot be had. A server that fails does not raise: the report says what was left.
    """
    _check_pairs(records, root)
    if not 1 <= concurrency <= AT_ONCE or samples < 1:
        found = f"{concurrency} at once, {samples} samples"
        raise InputError(f"1 to {AT_ONCE} questions at once, and one sample or more", found, "Change the number.")
    options = options or VlmOptions(timeout_s=_TIMEOUT_S)
    started = time.perf_counter()
    model = _load(teacher, options)
    looks_again = _load(second_look, options) if isinstance(second_look, str) else None
    knows = None if isinstance(second_look, str) else second_look
    how = How(teacher, with_label, samples, second_look if isinstance(second_look, str) else knows and _KNOWN)
    with explanations_folder(out, how), Ledger(out / NAME) as ledger:
        limits = Limits(ledger, requests=budget_requests, tokens=budget_tokens, per_minute=requests_per_minute)
        asker = Asker(model, how, ledger, limits, root, looks_again=looks_again, knows=knows)
        before = explained_before(out)
        tally = _work(asker, records, limits, _threads(concurrency, model, looks_again), progress)
        explained = explained_now(records, tally.outcomes, before)
        these = set(map(key_of, records))
        others = [one for key, one in before.items() if key not in these]
        report = _report(out, records, explained, tally, limits, ledger, time.perf_counter() - started)
        report = replace(report, others=len(others))
        rejected = [one for _, one in sorted(tally.outcomes.items()) if one.failed]
        write_outcomes(out, [*explained, *others], rejected, {**asdict(report), "folder": str(out)})
    return report


def _check_pairs(records: Sequence[PairRecord], root: Path) -> None:
    """Refuse what cannot come to anything, before a folder is made."""
    if not records:
        raise InputError("pairs to explain", "none", "Make them with `geosleuth curate pairs`.")
    asked = [one for one in records if one.explanation is None]
    if asked and not any((root / path).is_file() for one in asked for path in (one.query_path, one.satellite_path)):
        found = f"none, not even {root / asked[0].query_path}"
        raise InputError(f"pictures of the pairs below {root}", found, "Name the root that the pairs were made with.")


def _load(spec: str, options: VlmOptions) -> SharedModel:
    if spec.partition(":")[0] not in ("openai", "hf", "dir"):
        remedy = "Name one: openai:MODEL@URL, hf:ORG/NAME[@REV] or dir:PATH."
        raise InputError("a model that sees pictures", repr(spec), remedy)
    return load_vlm(spec, options)


def _work(
    asker: Asker, records: Sequence[PairRecord], limits: Limits, threads: int, progress: OnProgress | None
) -> _Tally:
    tally = _Tally({n: Outcome(record) for n, record in enumerate(records) if record.explanation is not None})

    def explain(number: int) -> None:
        try:
            outcome = _outcome(asker, records[number], tally)
        except StoppedError:
            return
        with tally.lock:
            if outcome is not None:
                tally.outcomes[number] = outcome
                tally.rejected += bool(outcome.failed)
            if progress:
                progress(ExplainingProgress(tally.done, len(records), tally.rejected, limits.sent))

    try:
        at_once(explain, [n for n in range(len(records)) if n not in tally.outcomes], threads=threads)
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError("a ledger that can be written", found, "Free some space; the same command goes on.") from error
    except KeyboardInterrupt:
        limits.stop("interrupted")  # threads under way send nothing more
        raise
    return tally


def _outcome(asker: Asker, record: PairRecord, tally: _Tally) -> Outcome | None:
    """What came of a pair; None where it is left for the next run."""
    try:
        return asker.explain(record)
    except UnreadableError as error:
        with tally.lock:
            tally.unreadable.append(str(error))
    except InputError as error:
        logger.info("%s in %s: %s", record.pair_id, record.lang, error)
        with tally.lock:
            tally.failures.append(str(error))
    return None


def _threads(concurrency: int, *models: SharedModel | None) -> int:
    """One where a model runs here: it takes one question at a time anyway."""
    from geosleuth.tools.vlm.endpoint import Endpoint

    return concurrency if all(one is None or isinstance(one, Endpoint) for one in models) else 1


def _report(
    out: Path,
    records: Sequence[PairRecord],
    good: Sequence[PairRecord],
    tally: _Tally,
    limits: Limits,
    ledger: Ledger,
    seconds: float,
) -> Explained:
    return Explained(
        folder=out,
        total=len(records),
        explained=len(good),
        rejected=tally.rejected,
        failed=len(tally.failures),
        unreadable=len(tally.unreadable),
        left=len(records) - tally.done,
        asked_again=sum(one.asked_again for one in tally.outcomes.values()),
        checks=dict(Counter(check for one in tally.outcomes.values() for check in {f.check for f in one.failed})),
        disagreeing=sum(one.teacher_label not in (None, one.label) for one in good),
        requests=limits.sent,
        requests_in_all=ledger.sent,
        tokens_in_all=ledger.tokens,
        seconds=round(seconds, 3),
        stopped=limits.reason,
        within_budget=limits.spent or not limits.stopped,
        failures=tuple(dict.fromkeys((*tally.failures, *tally.unreadable)))[:_REASONS_KEPT],
    )
