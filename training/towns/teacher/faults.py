"""What the teacher of invented towns does wrong, as often as it is told to, the same in every run of a seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, get_args

from geosleuth.indexes.errors import InputError

Fault = Literal["hallucinate", "leak", "wrong_language", "truncate", "half_json", "too_many", "broken", "stall"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
OF_SERVERS: tuple[Fault, ...] = ("too_many", "broken", "stall")  # of these a request gets one at most


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates in [0, 1] of each fault, independent of each other."""

    hallucinate: float = 0.0  # names a feature of neither picture
    leak: float = 0.0  # says that it was told
    wrong_language: float = 0.0  # Chinese for English, English for Chinese
    truncate: float = 0.0  # stops at the limit of tokens and says so: finish_reason "length"
    half_json: float = 0.0  # stops in the middle and says "stop"
    too_many: float = 0.0  # HTTP 429 with Retry-After
    broken: float = 0.0  # HTTP 500
    stall: float = 0.0  # answers after `stall_s`
    stall_s: float = 30.0
    retry_after_s: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in FAULTS:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} as a rate from 0 to 1", str(getattr(self, name)), "Change the number.")

    def happens(self, fault: Fault, request: str, attempt: int) -> bool:
        """Tell whether a fault befalls the n-th sending of a request: other at each, the same in every run."""
        return self.draw(fault, request, attempt) < float(getattr(self, fault))

    def draw(self, what: str, request: str, attempt: int) -> float:
        """Return a number in [0, 1) that looks random and is not."""
        digest = hashlib.sha256(f"{self.seed}/{what}/{request}/{attempt}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2.0**64
