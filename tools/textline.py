"""One line of writing found in a photo, as every reader of text gets it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Corner = tuple[float, float]  # (x, y) in pixels of the upright photo
Corners = tuple[Corner, Corner, Corner, Corner]  # clockwise from the first letter's upper left

Share = Annotated[float, Field(ge=0, le=1)]


class TextLine(BaseModel):
    """A line of writing: what it says, where it stands, and how far to believe it.

    `box` has the four corners clockwise from the first letter's upper left. `script` is ISO 15924: the script's code,
    "Jpan" where kana is seen, or "Zyyy" for digits and punctuation alone. `score` is the probability that `text` is
    what stands there (with at most one letter in six wrong), not a recogniser's own score. `readable` is False where
    letters of `script` were seen but no installed recogniser reads them: `text` is then empty and `score` 0, and
    `script_confidence` is the probability that the script is right.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    box: Corners
    script: str
    script_confidence: Share
    score: Share
    recogniser: str  # "ppocr", "tesseract:Cyrillic" or "none"
    readable: bool = True
    overlay: Share = 0.0  # probability that it was laid over the picture, as captions are, and stands on no sign

    @model_validator(mode="after")
    def _unreadable_says_nothing(self) -> TextLine:
        if not self.readable and self.text:
            raise ValueError(f"an unreadable line must have no text, not {self.text!r}")
        return self
