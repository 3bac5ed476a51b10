"""What may become of a decoder, in words for who handed the photo in."""

from __future__ import annotations

from geosleuth.indexes.decoder import most_bytes
from geosleuth.indexes.errors import InputError

WANTED = "a process that decodes photos"
_SIGKILL = 9  # signal.SIGKILL, which Windows lacks


class DecoderFault(InputError):  # noqa: N818  as below; its words accuse a decoder, not a file
    """A photo was refused for what became of its decoder, of which the machine may be the cause: try again later."""


class NoDecoder(DecoderFault):
    """No decoder gets as far as a photo: another photo would fare no better."""


class DecoderDied(Exception):  # noqa: N818  an event, which is told in other words
    """The process ended without a whole reply, or said what no decoder says."""

    def __init__(self, end: str, code: int | None = None, *, began: bool = True) -> None:
        super().__init__(end)
        self.code = code
        self.began = began  # with a photo


def stillborn(died: DecoderDied, program: tuple[str, ...]) -> NoDecoder:
    """Of a decoder that never got as far as a photo; `program` is what a person can run to see why."""
    remedy = f"Run `python {' '.join(program)} </dev/null` to see why."
    return NoDecoder(WANTED, f"one that ended before it began, {died}", remedy)


def too_long(name: str, longest_s: int) -> DecoderFault:
    """Of one that was ended after its time."""
    remedy = "Try again when this machine is less busy, or export it again: the file may be made to hold up its reader."
    wanted = f"a photo or video that is decoded within {longest_s} s"
    return DecoderFault(wanted, f"one that takes longer: {name}", remedy)


def too_large(name: str) -> DecoderFault:
    """Of one that came to its limit of memory."""
    wanted = f"a photo or video that is decoded in {most_bytes() / 2**30:.1f} GiB of memory"
    return DecoderFault(wanted, f"one that takes more: {name}", "Export a smaller copy.")


def deadly(name: str, died: DecoderDied, tries: int) -> DecoderFault:
    """Of one that died over the same photo so many times."""
    remedy = "Export it again; the file is damaged, or made to do harm."
    if died.code == -_SIGKILL:  # how the system ends a program for the memory of all
        remedy = "Free memory and try again: a lack of it is the likely cause. Else export a smaller copy."
    return DecoderFault("a photo or video", f"one that the decoder died of {tries} times, {died}: {name}", remedy)
