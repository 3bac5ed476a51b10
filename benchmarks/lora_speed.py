"""Train the same LoRA adapter with our engine and with TRL's SFTTrainer: seconds a step, tokens and pictures a second.

    pip install trl==1.16.0                     # beside this package; nothing else here needs it
    python benchmarks/lora_speed.py             # three rounds; some four minutes on one core
    python benchmarks/lora_speed.py --rounds 1 --steps 3
    python benchmarks/lora_speed.py --arms ours TRL --no-checkpointing --workers 2

The model is a small Qwen2.5-VL of random weights; pictures (JPEG, four sizes of street views in small, blurred noise)
and answers (GeoReasoner's JSON with 0 to 10 reasons, invented) are synthetic: only time is asked.

TRL is used as its documentation says: a model by its path, a `datasets.Dataset` with `messages` and `images`, its own
vision collator, `assistant_only_loss=True`, a `peft_config`, and by `chat_template_path` the model's own template with
the marks of what is learned.

Same in both: files, texts, base, LoRA (rank, alpha, dropout, projections, none in the vision tower), learned tokens (an
answer and its end), batch, accumulation, steps (one epoch), AdamW and its settings, schedule, clipping, seed,
precision, attention (SDPA), activation checkpointing (not reentrant), processes that decode pictures, threads, a log
line every step, no checkpoint. "ours, not grouped" and "TRL" take the same lessons in one order, so the loss of their
first batch is one number (an adapter changes nothing before its first step): it is printed.

Not the same:
- the loss of a step of several batches: ours is over all its learned tokens; TRL's, for a Qwen2.5-VL, is the mean of
  the batches' means, so that a token beside short answers weighs more (the model's class in transformers says
  `accepts_loss_kwargs = False`, and Trainer then counts no tokens for TRL; ours sets it);
- the factors that are drawn at random, hence later losses; a newline after the answer, which nobody learns;
- entropy and accuracy of learned tokens, which TRL always computes; pictures, which TRL processes by the batch;
- ours measures every lesson before its first step ("besides"): it leaves out what cannot be read, and groups by length
  within windows of 50 batches (a quarter of a small set). "TRL, grouped" is transformers' own grouping, with our
  lengths in a column: it measures none of pictures itself. It sorts windows of 50 steps: a step is of one length;
- on a CPU TRL turns all positions into logits, on a GPU only learned ones, as ours does anywhere: "TRL, head as on a
  GPU" makes it do so here, by a private switch of theirs.
Ours leaves the frozen vision tower alone in the backward pass. With an adapter and checkpointing, transformers asks its
embeddings for gradients, the tower's among them, which only reentrant checkpointing needs: TRL goes back through all
of it.

The clock is around `transformers.Trainer.train`, which both call: from before the first batch is read to after the last
step. "Besides" is the rest of the call: loading, measuring, writing the adapter. Each trainer has a process; arms take
turns, forwards and backwards, after one step of each trainer that is not counted. Where a machine is shared, CPU
seconds (of all the trainer's processes) are steadier than the clock. Tokens are those of ours, without padding. Peak
memory is what the process (on a GPU: torch) had at most in `train` beyond what it had before, the most of all rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

TRL = "TRL"
ARMS = ("ours", "ours, not grouped", TRL, "TRL, grouped", "TRL, head as on a GPU")
FIRST = {"ours": ARMS[1], TRL: TRL}  # both read the lessons in one order
SIZES_PX = ((168, 168), (224, 224), (336, 252), (448, 308))  # width, height: 36, 64, 108 and 176 tokens
REASONS = (0, 2, 4, 10)
WORDS = (
    "road",
    "sign",
    "pole",
    "wall",
    "roof",
    "tile",
    "palm",
    "pine",
    "soil",
    "kerb",
    "plate",
    "lamp",
    "fence",
    "snow",
)
PLACES = (("FR", "Lyon"), ("JP", "Osaka"), ("BR", "Recife"), ("KE", "Nakuru"), ("CA", "Regina"), ("TH", "Phuket"))
# The base's own template, with marks around what is learned; the newline after an answer is not.
TEMPLATE = """{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.role == 'assistant' -%}
{%- generation -%}{{- message.content[0].text + '<|im_end|>' -}}{%- endgeneration -%}{{- '\\n' -}}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>
{%- else -%}{{- part.text -}}
{%- endif -%}
{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""
Options = argparse.Namespace
Result = dict[str, float]


def main() -> None:
    """Write data and model, let the arms take turns, print the table."""
    options = parsed()
    if options.serve:
        serve(options)
        return
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        options.scratch = Path(scratch)
        about = write_all(options)
        running = {name: started(name, options, stack) for name in dict.fromkeys(map(trainer_of, options.arms))}
        first = {name: turn(one, {"arm": FIRST[name], "first": True}) for name, one in running.items()}
        results: dict[str, list[Result]] = {arm: [] for arm in options.arms}
        # Ours and theirs in alternation: what else a machine does comes in bursts, and would hit neighbours alike.
        queue = sorted(options.arms, key=lambda arm: ARMS.index(arm) % 3)
        for number in range(options.rounds):
            for arm in queue[:: -1 if number % 2 else 1]:
                results[arm].append(turn(running[trainer_of(arm)], {"arm": arm}))
                sys.stderr.write(f"round {number + 1}, {arm}: {json.dumps(results[arm][-1])}\n")
        said = turn(running[TRL], {"packing": True})["said"] if TRL in running else None
    report(results, about, first, options)
    if said is not None:
        sys.stdout.write(f"TRL, asked to pack lessons with pictures: {said!r}\n")


def parsed() -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12, help="of the optimiser")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--accumulation", type=int, default=2)
    parser.add_argument("--width", type=int, default=128, help="of the text model, a multiple of 64")
    parser.add_argument("--layers", type=int, default=3, help="of the text model")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-checkpointing", action="store_true", help="keep activations")
    for name in ("--serve", "--scratch"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    return parser.parse_args()


def trainer_of(arm: str) -> str:
    """Name the trainer of an arm."""
    return arm.partition(",")[0]


def write_all(options: Options) -> dict[str, Any]:
    """Write pictures, answers and model; return what the table's head says of them."""
    import cv2

    from geosleuth.tools.georeasoner_reply import QUESTION, written
    from geosleuth.training.small_vlm.architecture import Size, write_base

    generator = np.random.default_rng(0)
    lessons = options.steps * options.batch * options.accumulation
    found = []
    for number in range(lessons):
        width, height = SIZES_PX[generator.integers(len(SIZES_PX))]
        noise = generator.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        path = options.scratch / f"{number:05d}.jpg"
        cv2.imwrite(str(path), cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))
        country, city = PLACES[generator.integers(len(PLACES))]
        count = REASONS[generator.integers(len(REASONS))]
        reasons = [" ".join(generator.choice(WORDS, 10)).capitalize() + "." for _ in range(count)]
        found.append((str(path), written(country, city, reasons=reasons)))
    (options.scratch / "lessons.json").write_text(json.dumps(found), encoding="utf-8")
    size = Size(
        hidden=options.width,
        layers=options.layers,
        heads=options.width // 64,
        kv_heads=1,
        intermediate=3 * options.width,
        vision_hidden=options.width // 2,
        vision_layers=options.layers,
        vision_heads=options.width // 64,
        vision_intermediate=options.width,
    )
    base = write_base(options.scratch / "base", [QUESTION, *(answer for _, answer in found)], size=size)
    (options.scratch / "template.jinja").write_text(TEMPLATE, encoding="utf-8")
    return {"lessons": lessons, **weights_of(base)}


def weights_of(base: Path) -> dict[str, float]:
    """Count the model's weights, and the share of the matrix that turns a position into logits."""
    from safetensors import safe_open

    with safe_open(base / "model.safetensors", "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118  # no mapping
    counts = {name: int(np.prod(shape)) for name, shape in shapes.items()}
    text = sum(count for name, count in counts.items() if "visual" not in name)
    head = next(count for name, count in counts.items() if "embed_tokens" in name)
    return {"millions": sum(counts.values()) / 1e6, "head": head / text}


def started(name: str, options: Options, stack: contextlib.ExitStack) -> subprocess.Popen[str]:
    """Start a trainer's process."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(options.threads),
        "PYTHONWARNINGS": "ignore",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(options.scratch / "cache"),
    }
    command = [sys.executable, __file__, *sys.argv[1:], "--serve", name, "--scratch", str(options.scratch)]
    one = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stack.callback(one.kill)
    return one


def turn(one: subprocess.Popen[str], asked: dict[str, Any]) -> Any:
    """Let a trainer's process do something."""
    if one.stdin is None or one.stdout is None:
        raise ValueError("a process without pipes")
    one.stdin.write(json.dumps(asked) + "\n")
    one.stdin.flush()
    line = one.stdout.readline()
    if not line:
        sys.exit(f"{asked} failed: see above")
    return json.loads(line)


def serve(options: Options) -> None:
    """Take turns until the other side ends."""
    import torch

    options.scratch = Path(options.scratch)
    answers: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8")
    quiet = os.open(options.scratch / f"{options.serve}.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(quiet, 1)  # the trainers print
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(options.threads)
    take = {"ours": ours, TRL: trl}[options.serve]
    for line in sys.stdin:
        asked = json.loads(line)
        if "packing" in asked:
            found: dict[str, Any] = {"said": packing(options)}
        else:
            found = timed(take, asked["arm"], options, first="first" in asked)
        answers.write(json.dumps(found) + "\n")
        answers.flush()


@dataclass
class Clock:
    """Around `transformers.Trainer.train`."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    memory_mb: float = 0.0
    log: list[dict[str, float]] = field(default_factory=list)  # a dictionary a step

    @contextlib.contextmanager
    def around(self) -> Iterator[None]:
        """Let every Trainer be timed."""
        from transformers import Trainer

        plain = Trainer.train

        def train(trainer: Any, *args: Any, **kwargs: Any) -> Any:
            before_mb, began, used = begin_peak(), time.perf_counter(), cpu_s()
            try:
                return plain(trainer, *args, **kwargs)
            finally:
                self.seconds, self.cpu_s = time.perf_counter() - began, cpu_s() - used
                self.memory_mb = peak_mb() - before_mb
                self.log = [line for line in trainer.state.log_history if "loss" in line]

        Trainer.train = train
        try:
            yield
        finally:
            Trainer.train = plain


def timed(take: Any, arm: str, options: Options, *, first: bool) -> Result:
    """Train once; first one batch alone, for its loss, and because much is imported only then."""
    lessons = json.loads((options.scratch / "lessons.json").read_text(encoding="utf-8"))
    if first:
        lessons, options = lessons[: options.batch], Options(**{**vars(options), "accumulation": 1})
    gc.collect()
    clock, began = Clock(), time.perf_counter()
    with clock.around(), tempfile.TemporaryDirectory(dir=options.scratch) as out:
        padding = take(arm, lessons, Path(out), options)
    steps = len(clock.log)
    tokens = sum(lengths_of(lessons, options))
    return {
        "steps": steps,
        "step_s": clock.seconds / steps,
        "tokens_per_s": tokens / clock.seconds,
        "images_per_s": len(lessons) / clock.seconds,
        "padding": padding,
        "cpu_s": clock.cpu_s / steps,
        "memory_mb": clock.memory_mb,
        "besides_s": time.perf_counter() - began - clock.seconds,
        "first_loss": clock.log[0]["loss"],
        "last_loss": clock.log[-1]["loss"],
    }


def cpu_s() -> float:
    """Return the CPU seconds of this process and of its workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def begin_peak() -> float:
    """Forget the peak, and return the memory in use, in MB."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return float(torch.cuda.memory_allocated() / 1e6)
    with contextlib.suppress(OSError, AttributeError):  # what was freed goes back to the system, where libc can
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return status_mb("VmRSS")


def peak_mb() -> float:
    """Return the most memory since then."""
    import torch

    return float(torch.cuda.max_memory_allocated() / 1e6) if torch.cuda.is_available() else status_mb("VmHWM")


def status_mb(name: str) -> float:
    """Return a line of this process's status; no number where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def ours_config(options: Options, *, grouped: bool) -> Any:
    """Return our settings; those that TRL gets are read from them."""
    from geosleuth.training.lora.config import AdapterConfig

    return AdapterConfig.model_validate(
        {
            "name": "speed",
            "base": f"dir:{options.scratch / 'base'}",
            "stages": [{"name": "speed", "epochs": 1, "learning_rate": 1e-3, "lora": {"r": options.rank}}],
            "machine": {
                "batch_size": options.batch,
                "accumulation": options.accumulation,
                "gradient_checkpointing": not options.no_checkpointing,
                "group_by_length": grouped,
                "workers": options.workers,
                "threads": options.threads,
            },
        }
    )


def ours(arm: str, lessons: list[tuple[str, str]], out: Path, options: Options) -> float:
    """Train with our engine; return the share of padding."""
    from geosleuth.training.georeasoner.lessons import GeoLessons
    from geosleuth.training.lora.train import train_adapters

    config = ours_config(options, grouped=arm != ARMS[1])
    data = GeoLessons(tuple(Path(path) for path, _ in lessons), tuple(answer for _, answer in lessons), {})
    return train_adapters(config, out / "run", lessons={"speed": data}).stages[0].padding


def lengths_of(lessons: list[tuple[str, str]], options: Options) -> list[int]:
    """Count the tokens of the first lessons with our encoder; once, and kept."""
    kept = options.scratch / "lengths.json"
    if not kept.exists():
        from transformers import AutoProcessor

        from geosleuth.training.georeasoner.lessons import GeoLessons
        from geosleuth.training.lora.encoding import LessonEncoder, length_of

        every = json.loads((options.scratch / "lessons.json").read_text(encoding="utf-8"))
        data = GeoLessons(tuple(Path(path) for path, _ in every), tuple(answer for _, answer in every), {})
        processor = AutoProcessor.from_pretrained(options.scratch / "base")
        end = processor.tokenizer.convert_tokens_to_ids("<|im_end|>")
        encoder = LessonEncoder(processor, [end], ours_config(options, grouped=True).max_pixels)
        kept.write_text(json.dumps([length_of(encoder.encode(data[i])) for i in range(len(data))]), encoding="utf-8")
    lengths: list[int] = json.loads(kept.read_text(encoding="utf-8"))
    return lengths[: len(lessons)]


def sft_config(options: Options, out: Path, **more: Any) -> Any:
    """Return TRL's settings: those of ours under its names."""
    import torch
    from trl import SFTConfig

    config = ours_config(options, grouped=False)
    stage, machine, has_gpu = config.stages[0], config.machine, torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(out),
        model_init_kwargs={"dtype": "bfloat16" if has_gpu else "float32", "attn_implementation": "sdpa"},
        chat_template_path=str(options.scratch / "template.jinja"),
        assistant_only_loss=True,
        max_length=config.max_length,
        per_device_train_batch_size=machine.batch_size,
        gradient_accumulation_steps=machine.accumulation,
        num_train_epochs=stage.epochs,
        learning_rate=stage.learning_rate,
        lr_scheduler_type=stage.schedule,
        warmup_steps=stage.warmup_ratio,
        optim="adamw_torch",
        weight_decay=stage.weight_decay,
        adam_beta2=stage.adam_beta2,
        max_grad_norm=stage.max_grad_norm,
        seed=stage.seed,
        bf16=has_gpu,
        use_cpu=not has_gpu,
        gradient_checkpointing=machine.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        dataloader_num_workers=machine.workers,
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
        report_to="none",
        **more,
    )


def peft_config(options: Options) -> Any:
    """Return the adapter that ours puts on, for TRL."""
    from peft import LoraConfig
    from transformers import AutoModelForImageTextToText

    from geosleuth.training.lora.trained_model import target_modules

    lora = ours_config(options, grouped=False).stages[0].lora
    model = AutoModelForImageTextToText.from_pretrained(options.scratch / "base")
    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=target_modules(model, vision=False),
        task_type="CAUSAL_LM",
    )


def trl_data(lessons: list[tuple[str, str]], options: Options) -> Any:
    """Return the lessons as TRL's documentation has them, in the order in which ours takes them ungrouped."""
    from datasets import Dataset, Image, List

    from geosleuth.tools.georeasoner_reply import prompt
    from geosleuth.training.lora.sampling import EpochOrder, shares

    seed = ours_config(options, grouped=False).stages[0].seed
    order = EpochOrder(shares([np.arange(len(lessons))], [1.0]), seed, lengths=None, unit=options.batch)
    lengths, turns = lengths_of(lessons, options), prompt(np.zeros((28, 28, 3), np.uint8)).turns
    asked = [
        {"role": turn.role, "content": "".join(part for part in turn.parts if isinstance(part, str))} for turn in turns
    ]
    chosen = [lessons[i] for i in order]
    columns = {
        "messages": [[*asked, {"role": "assistant", "content": answer}] for _, answer in chosen],
        "images": [[path] for path, _ in chosen],
        "length": [lengths[i] for i in order],
    }
    return Dataset.from_dict(columns).cast_column("images", List(Image()))


def trl(arm: str, lessons: list[tuple[str, str]], out: Path, options: Options) -> float:
    """Train with SFTTrainer; return the share of padding."""
    from trl import SFTTrainer

    grouped = arm == "TRL, grouped"
    more = {"train_sampling_strategy": "group_by_length" if grouped else "sequential"}
    if grouped:  # else the column with the lengths is gone before the sampler looks for it
        more |= {"length_column_name": "length", "remove_unused_columns": False}
    with head(only_learned=arm == ARMS[4]):
        trainer = SFTTrainer(
            model=str(options.scratch / "base"),
            args=sft_config(options, out, **more),
            train_dataset=trl_data(lessons, options),
            peft_config=peft_config(options),
        )
        counted = np.zeros(2)

        def count(_model: Any, _args: Any, inputs: dict[str, Any]) -> None:
            counted[:] += int(inputs["attention_mask"].sum()), inputs["attention_mask"].numel()

        trainer.model.register_forward_pre_hook(count, with_kwargs=True)
        trainer.train()
    trainer.save_model(str(out))
    return float(1 - counted[0] / counted[1])


@contextlib.contextmanager
def head(*, only_learned: bool) -> Iterator[None]:
    """Let TRL turn only learned positions into logits, as it does where Triton runs."""
    from trl.trainer import utils

    plain = utils._use_triton  # its kernels look at their own, and stay on the CPU
    utils._use_triton = (lambda _device: True) if only_learned else plain
    try:
        yield
    finally:
        utils._use_triton = plain


def packing(options: Options) -> str:
    """Ask TRL to pack lessons with pictures, and return what it says."""
    from trl import SFTTrainer

    lessons = json.loads((options.scratch / "lessons.json").read_text(encoding="utf-8"))[:2]
    args = sft_config(options, options.scratch / "packed", packing=True)
    try:
        SFTTrainer(
            model=str(options.scratch / "base"),
            args=args,
            train_dataset=trl_data(lessons, options),
            peft_config=peft_config(options),
        )
    except ValueError as error:
        return str(error)
    return "it packs them (not measured here)"


def report(results: dict[str, list[Result]], about: dict[str, Any], first: dict[str, Result], options: Options) -> None:
    """Print the table: medians of the rounds."""
    middle = {
        arm: {key: statistics.median(one[key] for one in found) for key in found[0]} for arm, found in results.items()
    }
    kept = "kept" if options.no_checkpointing else "checkpointed"
    sys.stdout.write(
        f"Qwen2.5-VL of random weights, {about['millions']:.1f} M, the head {100 * about['head']:.0f} % of the text "
        f"model's; {about['lessons']} synthetic lessons, one epoch of {options.steps} steps of {options.accumulation} "
        f"batches of {options.batch}, rank {options.rank}, activations {kept}, {options.workers} workers, "
        f"{options.threads} threads of torch; medians of {options.rounds} rounds\n\n"
        "| trainer | s a step | tokens/s | pictures/s | padding, % | CPU s a step | peak memory, MB | besides, s "
        "| loss, first step | last |\n|---|---|---|---|---|---|---|---|---|---|\n"
    )
    for arm, row in middle.items():
        memory = max(one["memory_mb"] for one in results[arm])
        sys.stdout.write(
            f"| {arm} | {row['step_s']:.2f} | {row['tokens_per_s']:,.0f} | {row['images_per_s']:.1f} | "
            f"{100 * row['padding']:.1f} | {row['cpu_s']:.2f} | {memory:,.0f} | {row['besides_s']:.1f} | "
            f"{row['first_loss']:.6f} | {row['last_loss']:.4f} |\n"
        )
    pairs = ((ARMS[1], ARMS[0]), *((mine, other) for mine in ARMS[:2] for other in ARMS[2:]))
    for one, other in pairs:
        if one in middle and other in middle:
            clock, cpu = (ratio(results[one], results[other], key) for key in ("step_s", "cpu_s"))
            sys.stdout.write(f"\n({one}) over ({other}), above 1 is faster: {cpu} by CPU time, {clock} by the clock")
    losses = ", ".join(f"{name} {one['first_loss']:.6f}" for name, one in first.items())
    sys.stdout.write(f"\n\nLoss of the first batch, which is the same, as a step of its own: {losses}")
    if len(first) > 1:
        sys.stdout.write(f" ({abs(first['ours']['first_loss'] - first[TRL]['first_loss']):.1e} apart)")
    sys.stdout.write("\n")


def ratio(mine: list[Result], theirs: list[Result], key: str) -> str:
    """Say how much longer theirs takes: median, least and most of the rounds."""
    found = [other[key] / one[key] for one, other in zip(mine, theirs, strict=True)]
    return f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"


if __name__ == "__main__":
    main()
