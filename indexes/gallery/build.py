"""From a source of images to an index: list, encode chunk by chunk, write; stopped anywhere, it goes on from there."""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

from geosleuth.indexes.encoders.encoder import Encoder
from geosleuth.indexes.encoders.parallel import core_count
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.duplicates import COLUMNS, Known, Rows
from geosleuth.indexes.gallery.encoding import Work, encode_chunks, skipped_of
from geosleuth.indexes.gallery.finishing import NoReferencesError, gather
from geosleuth.indexes.gallery.journal import FOLDER, Journal, Plan
from geosleuth.indexes.gallery.journal_files import explaining, only_builder
from geosleuth.indexes.gallery.listing import Listing, store_listing
from geosleuth.indexes.gallery.local import LocalGallery
from geosleuth.indexes.gallery.manifest import MANIFEST, EncoderFacts, SourceFacts, read_manifest
from geosleuth.indexes.gallery.paths import absolute
from geosleuth.indexes.gallery.progress import BuildReport, Meter, OnProgress
from geosleuth.indexes.gallery.ray_workers import encode_on_ray
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.gallery.sources.open import open_source
from geosleuth.indexes.gallery.sources.source import Source
from geosleuth.indexes.gallery.store import note_problems, open_index, remove_superseded, write_index

logger = logging.getLogger(__name__)

# Images per chunk: what a kill loses at most. A chunk of 1,280-d vectors has 2.6 MB, and ten seconds of work.
CHUNK_SIZE = 512


@dataclass(frozen=True)
class _Task:
    """One build or add, with everything resolved."""

    source: Source
    out: Path
    view: View | None
    encoder_choice: str | Encoder  # as given: a spec travels to workers, a loaded model cannot
    encoder: Encoder
    base: LocalGallery | None  # the index that is added to
    workers: int
    ray: str | None
    chunk_size: int

    @property
    def plan(self) -> Plan:
        """What the journal must agree with."""
        return Plan(
            task="build" if self.base is None else "add",
            source=repr(self.source),  # sources are frozen dataclasses: paths, zoom, view
            view=self.view,
            encoder=self.facts,
            chunk_size=self.chunk_size,
            generation=0 if self.base is None else self.base.manifest.generation,
        )

    @property
    def facts(self) -> EncoderFacts:
        """The encoder, as the manifest has it."""
        encoder = self.encoder
        return EncoderFacts(spec=encoder.spec, weights_sha256=encoder.weights_sha256, dimension=encoder.dimension)

    @property
    def sources(self) -> tuple[SourceFacts, ...]:
        """Those of the index, and this one, once."""
        before = () if self.base is None else self.base.manifest.sources
        return tuple(dict.fromkeys((*before, SourceFacts(kind=self.source.kind, root=self.source.root))))

    @property
    def number(self) -> int:
        """Of this source, in the index."""
        return self.sources.index(SourceFacts(kind=self.source.kind, root=self.source.root))


def build_index(
    source: Source | str | Path,
    out: str | Path,
    *,
    encoder: str | Encoder = "embedded",
    view: View | None = None,
    workers: int | None = None,
    ray: str | None = None,
    on_progress: OnProgress | None = None,
    chunk_size: int = CHUNK_SIZE,
) -> BuildReport:
    """Build an index of a source; the same call after a kill, Ctrl-C or a full disk goes on where that one stopped.

    Args:
        source: From `open_source`, or what that takes.
        out: Folder of the index: missing, empty, or with an unfinished build of the same.
        encoder: Its spec, or one that is loaded.
        view: What all images show, overruling the source.
        workers: Threads that decode; by default as many as there are cores.
        ray: Address of a Ray cluster, or "local", to encode there. The source must lie on storage that it sees.
        on_progress: Called some four times a second.
        chunk_size: Images that are stored at a time.

    Raises:
        InputError: For whatever a user can mend: nothing in the source, something else in `out`, a full disk.
    """
    out = absolute(out, "a folder for the index")
    opened = open_source(source, view=view) if isinstance(source, str | Path) else source
    with explaining(out):
        _check_empty(out)
    loaded = _load(encoder)
    with explaining(out):
        (out / FOLDER).mkdir(parents=True, exist_ok=True)
        with only_builder(out / FOLDER):
            journal = Journal(out / FOLDER)
            task = _Task(opened, out, view, encoder, loaded, None, _threads(workers), ray, chunk_size)
            if (out / MANIFEST).exists():  # killed between the manifest and the removal of the journal
                journal.check(task.plan)
                return _committed(out, journal)
            return _run(task, journal, Meter(on_progress))


def add_to_index(
    source: Source | str | Path,
    index: str | Path,
    *,
    encoder: str | Encoder | None = None,
    view: View | None = None,
    workers: int | None = None,
    ray: str | None = None,
    on_progress: OnProgress | None = None,
    chunk_size: int = CHUNK_SIZE,
) -> BuildReport:
    """Add a source to an index, by the index's own encoder; resumable as `build_index`, and readers are not disturbed.

    What is there already is neither decoded nor added again. Arguments are those of `build_index`.

    Raises:
        InputError: As for `build_index`; and if there is no sound index, or its encoder is another.
    """
    out = absolute(index, "an index")
    opened = open_source(source, view=view) if isinstance(source, str | Path) else source
    facts = read_manifest(out).encoder
    choice = encoder or facts.spec
    loaded = _load_known(choice, named=encoder is not None)
    if (loaded.spec, loaded.weights_sha256) != (facts.spec, facts.weights_sha256):
        found = f"{loaded.spec} with weights {loaded.weights_sha256[:12]}"
        remedy = "Leave --encoder out, or build an index of its own: vectors of two encoders cannot be compared."
        raise InputError(f"the index's encoder {facts.spec}, weights {facts.weights_sha256[:12]}", found, remedy)
    with explaining(out):
        (out / FOLDER).mkdir(exist_ok=True)
        with only_builder(out / FOLDER):
            journal = Journal(out / FOLDER)
            plan = journal.plan()
            if plan is not None and plan.generation < read_manifest(out).generation:
                # Killed after the commit of that add (or build): what is left of it is done with.
                report = _committed(out, journal)
                if plan.task == "add" and plan.source == repr(opened):
                    return report
                (out / FOLDER).mkdir(exist_ok=True)
            base = open_index(out)
            task = _Task(opened, out, view, choice, loaded, base, _threads(workers), ray, chunk_size)
            return _run(task, journal, Meter(on_progress))


def _check_empty(out: Path) -> None:
    """Refuse a folder that holds something else.

    Raises:
        InputError: It is a file, an index, or other people's.
    """
    if out.exists() and not out.is_dir():
        raise InputError("a folder for the index", f"a file: {out}", "Name another with --out.")
    if not out.is_dir() or (out / FOLDER).exists():
        return
    if (out / MANIFEST).exists():
        raise _complete(out)
    entry = next(out.iterdir(), None)
    if entry is not None:
        remedy = "Name a new folder with --out."
        raise InputError("an empty or missing folder for the index", f"{entry.name} and more in {out}", remedy)


def _complete(out: Path) -> InputError:
    remedy = "Add to it with `geosleuth index add`, or name another folder with --out."
    return InputError("an empty or missing folder for the index", f"a complete index: {out}", remedy)


def _load(encoder: str | Encoder, *, local_only: bool = False) -> Encoder:
    if not isinstance(encoder, str):
        return encoder
    from geosleuth.indexes.encoders.load import load_encoder

    return load_encoder(encoder, local_only=local_only)


def _load_known(encoder: str | Encoder, *, named: bool) -> Encoder:
    """Load an index's own encoder from this machine alone, unless the user names it: the index may be a stranger's.

    Raises:
        InputError: It is not on this machine.
    """
    try:
        return _load(encoder, local_only=not named)
    except InputError as error:
        if named:
            raise
        remedy = f"If you trust the index, name its encoder yourself: --encoder {encoder}."
        raise InputError(error.wanted, error.found, remedy) from error


def _threads(workers: int | None) -> int:
    if workers is not None and workers < 1:
        raise InputError("at least one worker", f"{workers}", "Leave --workers out to use every core.")
    return workers or core_count()


def _committed(out: Path, journal: Journal) -> BuildReport:
    """Clear what a task left that was killed after its index was complete, and tell what it did."""
    report = journal.report()
    if report is not None:
        remove_superseded(out)
    journal.clear()
    if report is None:  # killed when the plan was gone already, and the folder not yet; or the index is another's
        raise _complete(out)
    return replace(report, resumed=report.listed)


def _run(task: _Task, journal: Journal, meter: Meter) -> BuildReport:
    """List, encode and write, each only as far as it is not done."""
    started = time.monotonic()
    journal.check(task.plan)
    try:
        if journal.plan() is None:
            _list(task, journal, meter)
        with contextlib.closing(journal.listing()) as listing:
            resumed = _encode(task, journal, listing, meter)
            meter.start("writing", None)
            ending = gather(journal, listing, task.base, task.source)
    except NoReferencesError:
        journal.clear()
        with contextlib.suppress(OSError):  # not empty: an index
            task.out.rmdir()
        raise
    report = replace(ending.report, folder=task.out)
    journal.note(task.plan, report)
    if report.added:
        write_index(
            task.out,
            ending.staged,
            encoder=task.facts,
            sources=task.sources,
            problems=ending.problems,
            base=task.base,
        )
    elif task.base is not None and ending.problems:
        note_problems(task.out, task.base, task.sources, ending.problems)
    journal.clear()
    return replace(report, resumed=resumed, seconds=time.monotonic() - started)


def _list(task: _Task, journal: Journal, meter: Meter) -> None:
    meter.start("listing", None)
    store_listing(
        task.source, journal.folder, number=task.number, view=task.view, chunk_size=task.chunk_size, meter=meter
    )
    meter.tell()
    journal.note(task.plan)


def _encode(task: _Task, journal: Journal, listing: Listing, meter: Meter) -> int:
    """Stage every chunk that is not; return how many images were done before."""
    todo = [number for number in range(listing.chunks) if not journal.is_staged(number)]
    skipped = len(listing.skipped())
    total = len(listing) + skipped
    before = total - sum(listing.size(number) for number in todo)
    meter.start("encoding", total, done=before, skipped=skipped)
    known = Known(Rows.of(task.base.columns(*COLUMNS))) if task.base else None
    work = Work(task.source, task.number, task.encoder, known)
    chunks = (listing.chunk(number) for number in todo)
    if task.ray is None:
        for encoded in encode_chunks(work, chunks, threads=task.workers, on_images=meter.add):
            journal.stage(encoded)
    else:
        for encoded in encode_on_ray(work, chunks, encoder=task.encoder_choice, address=task.ray):
            journal.stage(encoded)
            meter.add(len(encoded.references) + len(encoded.problems), skipped_of(encoded.problems))
    meter.tell()
    return before if before > skipped else 0
