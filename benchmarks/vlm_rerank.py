"""Time GLEAM-X's verdicts and explanations: the library's way (one prompt per candidate) against ours, same weights.

    python benchmarks/vlm_rerank.py                         # CPU, 138 M parameters; some six minutes on 2 cores
    python benchmarks/vlm_rerank.py --candidate-px 384 768  # candidates as large as the photo
    python benchmarks/vlm_rerank.py --size 3b --json        # GPU, bfloat16; 8 GB of disk for a while (7b: 17 GB)
    python benchmarks/vlm_rerank.py --profile               # where our time goes

Naive is what one writes with transformers alone: for each candidate the processor, then `model.generate` on a batch of
one; the verdict is read off the first token's logits. Ours is `load_vlm`, its `score` and its `generate`, on the
prompts of tools/gleam_x.py, with a fresh view each time, as each photo has it: the photo is encoded once, and what the
prompts begin with is read once. Both give ten verdicts, whose log-probabilities must agree.

verdicts      ten verdicts, no explanation. The pictures bound it. Of GLEAM's sizes (ground 384 x 768, satellite
              384 x 384) a prompt has 378 + 196 tokens of images and 178 of text, of which some 50 are the candidate's
              own: naive reads 7,520 tokens, ours 506 + 10 x 246, so 2.5 : 1. Where all have one size it is 2.0 : 1,
              and for the vision tower, with 20 pictures against 11, 1.8 : 1.
task          ten verdicts, and 128 new tokens of explanation: naive for all ten, verdict and reasons in one reply; ours
              for the one finalist, in a second turn, whose question is more text to read.

How far a CPU's figures tell of a GPU's hangs on the time that writing 128 tokens takes against reading one prompt
("writing : reading"). By arithmetic, the 3B on an A100 reads the 750 tokens and 2,300 patches of one prompt in 50 ms
(7.5 TFLOP at half of 312 TFLOP/s), and writes 128 tokens in 400 ms (6.2 GB a token at 2 TB/s): 8 : 1 at best.
transformers' own loop, which both sides use, takes some 25 ms a token for its 36 layers: 60 : 1. A CPU has little
arithmetic for its memory's speed, so the 3B on it would be near 1 : 1 and tell nothing of a GPU. The small model has a
small body and the whole vocabulary, which only writing pays for at every token: about 9 : 1, the low end of a GPU's.
The larger the ratio, the nearer to ten, and past it, the task comes.

Weights are random: speed does not depend on them. Repetitions of naive and ours take turns; figures are medians. Run it
alone: another busy program doubles them, and a CPU whose two cores are shared makes them several times as large.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peak_memory import peak_bytes, reset_peak
from random_models import Size, write_qwen

from geosleuth.indexes.pixels import Pixels
from geosleuth.tools import gleam_x
from geosleuth.tools.comparison_prompts import NO, SAME_PLACE, YES, answering, prompt
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.tools.vlm.model import Prompt

ANSWERS = YES + NO
TARGETS = {"verdicts": 2.0, "task": 8.0}
# Log-probabilities of single precision agree to a thousandth. bfloat16 has 8 bits: sums in another order differ there.
TOLERANCE = {"cpu": 1e-3, "cuda": 0.15}


@dataclass
class Case:
    """A photo with its candidates."""

    prompts: list[Prompt]

    @classmethod
    def drawn(cls, candidates: int, candidate_px: tuple[int, int]) -> Case:
        """Draw pictures of coloured fields; each is another one."""
        photo = _picture(0, (384, 768))
        pictures = [_picture(1 + i, candidate_px) for i in range(candidates)]
        return cls([prompt(photo, ("satellite", one), question=SAME_PLACE) for one in pictures])

    def texts(self) -> list[str]:
        """All that is asked and answered, for the tokenizer."""
        asked = [
            part for part in self.prompts[0].turns[0].parts + self.prompts[0].turns[1].parts if isinstance(part, str)
        ]
        return [*asked, *gleam_x.WHY.values(), "system\n", "user\n", "assistant\n", *ANSWERS] * 3


def _picture(seed: int, size: tuple[int, int]) -> Pixels:
    import cv2

    fields = np.random.default_rng(seed).integers(0, 256, (size[0] // 32, size[1] // 32, 3), dtype=np.uint8)
    drawn = cv2.resize(fields, size[::-1], interpolation=cv2.INTER_NEAREST)
    drawn.flags.writeable = False
    return np.asarray(drawn, dtype=np.uint8)


class Naive:
    """transformers alone, one candidate after the other."""

    def __init__(self, model: Any, processor: Any) -> None:
        self._model, self._processor = model, processor
        self._answers = [_only_token(processor.tokenizer, answer) for answer in ANSWERS]

    def verdicts(self, case: Case) -> NDArray[np.float64]:
        """Log-probabilities (candidates, answers)."""
        return np.stack([self._reply(one, 1)[0] for one in case.prompts])

    def task(self, case: Case, tokens: int) -> NDArray[np.float64]:
        """The same, and an explanation of each, `tokens` long."""
        found = []
        for one in case.prompts:
            log_probabilities, written = self._reply(one, tokens)
            assert written == tokens, written  # noqa: S101
            found.append(log_probabilities)
        return np.stack(found)

    def _reply(self, asked: Prompt, tokens: int) -> tuple[NDArray[np.float64], int]:
        import torch

        conversation = [
            {
                "role": turn.role,
                "content": [
                    {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}
                    for part in turn.parts
                ],
            }
            for turn in asked.turns
        ]
        text = self._processor.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
        inputs = self._processor(text=[text], images=list(asked.images), return_tensors="pt").to(self._model.device)
        with torch.inference_mode():
            options = {"do_sample": False, "output_logits": True, "return_dict_in_generate": True}
            found = self._model.generate(**inputs, max_new_tokens=tokens, **options)
        log_probabilities = torch.log_softmax(found.logits[0][0].float(), dim=-1)[self._answers]
        return log_probabilities.double().cpu().numpy(), found.sequences.shape[1] - inputs["input_ids"].shape[1]


class Ours:
    """geosleuth's local backend; each call is another photo's view."""

    def __init__(self, shared: Any) -> None:
        self._shared = shared

    def verdicts(self, case: Case) -> NDArray[np.float64]:
        """Log-probabilities (candidates, answers)."""
        return self._shared.for_photo().score(case.prompts, ANSWERS).log_probabilities

    def task(self, case: Case, tokens: int) -> NDArray[np.float64]:
        """The same, and an explanation of the finalist, `tokens` long."""
        view = self._shared.for_photo()
        found = view.score(case.prompts, ANSWERS).log_probabilities
        finalist = case.prompts[int(_log_odds(found).argmax())]
        asked = answering(finalist, YES[0], question=gleam_x.WHY["en"])
        [[reply]] = view.generate([asked], max_tokens=tokens)
        assert reply.tokens == tokens, reply.tokens  # noqa: S101
        return found


def _only_token(tokenizer: Any, answer: str) -> int:
    [token] = tokenizer(answer, add_special_tokens=False)["input_ids"]
    return int(token)


def _log_odds(found: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.logaddexp.reduce(found[:, : len(YES)], axis=1) - np.logaddexp.reduce(found[:, len(YES) :], axis=1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("small", "3b", "7b"), default="small")
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument("--candidate-px", type=int, nargs=2, default=(384, 384), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--tokens", type=int, default=128, help="of an explanation")
    parser.add_argument("--runs", type=int, default=3, help="of each measurement")
    parser.add_argument("--model", type=Path, help="a folder that an earlier run has kept, or where to keep this one's")
    parser.add_argument("--profile", action="store_true", help="of ours, by torch's profiler")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = _measured(options, options.model or Path(folder) / "model")
    if found:
        sys.stdout.write(json.dumps(found, indent=2) + "\n" if options.json else _table(found))


def _measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")  # as photos are; only read
    size: Size = options.size
    device = "cuda" if torch.cuda.is_available() else "cpu"
    case = Case.drawn(options.candidates, tuple(options.candidate_px))
    if not (folder / "config.json").exists():
        write_qwen(folder, size, case.texts(), device=device)
        if device == "cuda":
            torch.cuda.empty_cache()
    shared: Any = load_vlm(f"dir:{folder}")
    naive, ours = Naive(shared.base.model, shared.base.processor), Ours(shared)
    if options.profile:
        _profile(lambda: ours.verdicts(case), lambda: ours.task(case, options.tokens), device)
        return {}
    agreement = _check(naive.verdicts(case), ours.verdicts(case), TOLERANCE[device])
    measured: dict[str, list[tuple[float, int, NDArray[np.float64]]]] = {}
    for _ in range(options.runs):
        for name, run in (
            ("naive verdicts", lambda: naive.verdicts(case)),
            ("ours verdicts", lambda: ours.verdicts(case)),
            ("naive task", lambda: naive.task(case, options.tokens)),
            ("ours task", lambda: ours.task(case, options.tokens)),
        ):
            measured.setdefault(name, []).append(_timed(run, device))
    _check(measured["naive task"][0][2], measured["ours task"][0][2], TOLERANCE[device])
    seconds = {name: statistics.median(one[0] for one in runs) for name, runs in measured.items()}
    writing = (seconds["naive task"] - seconds["naive verdicts"]) / seconds["naive verdicts"]
    return {
        "size": size,
        "parameters": sum(one.numel() for one in shared.base.model.parameters()),
        "form": shared.base.form,
        "threads": torch.get_num_threads(),
        "candidates": options.candidates,
        "candidate_px": list(options.candidate_px),
        "tokens": options.tokens,
        "runs": options.runs,
        "prompt_tokens": _length(shared, case.prompts[0]),
        **agreement,
        "seconds": seconds,
        "spread_s": {name: [min(o[0] for o in runs), max(o[0] for o in runs)] for name, runs in measured.items()},
        "peak_bytes": {name: max(one[1] for one in runs) for name, runs in measured.items()},
        "peak_of": "GPU memory" if device == "cuda" else "resident memory, weights included",
        "ratios": {name: seconds[f"naive {name}"] / seconds[f"ours {name}"] for name in TARGETS},
        "targets": TARGETS,
        "writing_to_reading": writing,
    }


def _check(naive: NDArray[np.float64], ours: NDArray[np.float64], tolerance: float) -> dict[str, float]:
    """Equal outputs, or the times say nothing."""
    off = float(np.abs(naive - ours).max())
    spread = float(np.ptp(_log_odds(naive)))
    assert off <= tolerance, f"log-probabilities differ by {off:.2g}"  # noqa: S101
    assert spread > 10 * off, f"the candidates' log odds differ by {spread:.2g} only"  # noqa: S101
    return {"largest_difference": off, "spread_of_log_odds": spread}


def _timed(run: Callable[[], NDArray[np.float64]], device: str) -> tuple[float, int, NDArray[np.float64]]:
    """Seconds, peak bytes, and what was computed."""
    import torch

    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    reset_peak(device)
    started = time.perf_counter()
    found = run()
    wait()
    return time.perf_counter() - started, peak_bytes(device), found


def _length(shared: Any, asked: Prompt) -> int:
    text, images = shared.format.of_prompt(asked)
    return int(shared.processor(text=[text], images=images, return_tensors="pt")["input_ids"].shape[1])


def _profile(verdicts: Callable[[], Any], task: Callable[[], Any], device: str) -> None:
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device == "cuda" else [])]
    by = "self_cuda_time_total" if device == "cuda" else "self_cpu_time_total"
    for name, run in (("verdicts", verdicts), ("task", task)):
        run()
        with profile(activities=activities) as found:
            run()
        sys.stdout.write(f"{name}\n{found.key_averages().table(sort_by=by, row_limit=12)}\n")


def _table(found: dict[str, Any]) -> str:
    height, width = found["candidate_px"]
    model = f"{found['parameters'] / 1e6:,.0f} M parameters ({found['size']}), random weights, {found['form']}"
    pictures = f"{found['candidates']} candidates of {height} x {width} px, photo 384 x 768 px"
    spread = f"log odds of the candidates spread over {found['spread_of_log_odds']:.2g}"
    lines = [
        f"{model}, {found['threads']} threads",
        f"{pictures}, {found['prompt_tokens']} tokens a prompt; {found['runs']} runs, medians",
        f"log-probabilities agree within {found['largest_difference']:.1g} ({spread})",
        f"writing : reading {found['writing_to_reading']:.1f} : 1",
        "",
        "| what | naive s | ours s | ratio | target | peak naive GB | peak ours GB |",
        "|---|---|---|---|---|---|---|",
    ]
    names = {"verdicts": "verdicts", "task": f"task ({found['tokens']} tokens)"}
    for name, label in names.items():
        naive, ours = f"naive {name}", f"ours {name}"
        lines.append(
            f"| {label} | {found['seconds'][naive]:.2f} | {found['seconds'][ours]:.2f} | {found['ratios'][name]:.2f} | "
            f"{found['targets'][name]:.0f} | {found['peak_bytes'][naive] / 1e9:.2f} | "
            f"{found['peak_bytes'][ours] / 1e9:.2f} |"
        )
    return "\n".join([*lines, "", f"Peak: {found['peak_of']}."]) + "\n"


if __name__ == "__main__":
    main()
