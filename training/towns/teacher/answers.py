"""What the teacher of invented towns says of a pair: from the features of both views, by rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from geosleuth.training.towns.language.feature import Language
from geosleuth.training.towns.language.phrases import phrase
from geosleuth.training.towns.language.vocabulary import FEATURES

NAMED = 3  # features of each kind, as the verifier is asked for
# Features agree more often than not, also of two places in one town: a pair is called the same from this share of those
# that either view shows and both could show. A judgement; it errs both ways, as a teacher without the label does.
_ENOUGH = 0.6
_MOVED = 3.0  # places by which a sample at a temperature may put a feature later: the first stay likely
# Said where no feature tells: true of every pair of its kind, and of no use to a reader.
_NOTHING: dict[Language, tuple[str, str]] = {
    "en": ("similar layout of the streets", "different layout of the buildings"),
    "zh": ("街道布局相似", "建筑布局不同"),
}
_ONLY: dict[Language, tuple[str, str]] = {
    "en": ("{}, only in the photo", "{}, only in the candidate"),
    "zh": ("{}，仅照片中有", "{}，仅候选图中有"),
}
_SAME: dict[Language, str] = {"en": "Both pictures show the same place: {}.", "zh": "两张图是同一个地方：{}。"}
_OTHER: dict[Language, str] = {"en": "The pictures show different places: {}.", "zh": "两张图是不同的地方：{}。"}
_ORDER = {one.id: number for number, one in enumerate(FEATURES)}
# Rare sights say more of a place than what is in most views.
_COMMON = frozenset({"trees", "lawn", "junction", "white_markings", "street_lamps", "signs"})


@dataclass
class Said:
    """An explanation, as the verifier's JSON has it, with the features behind its lines."""

    agreeing: list[str]
    disagreeing: list[str]
    conclusion: str
    same_place: bool
    named: list[str] = field(default_factory=list)  # ids, in the order of the lines

    def as_json(self) -> dict[str, object]:
        """Return its keys in the order in which they are asked for."""
        return {
            "same_place": self.same_place,
            "agreeing": self.agreeing,
            "disagreeing": self.disagreeing,
            "conclusion": self.conclusion,
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """The features of a pair that both views could show."""

    both: tuple[str, ...]
    photo_only: tuple[str, ...]
    candidate_only: tuple[str, ...]

    @property
    def key(self) -> str:
        """What tells pairs apart, whatever the order of their features."""
        return "/".join(" ".join(sorted(part)) for part in (self.both, self.photo_only, self.candidate_only))

    @property
    def overlap(self) -> float:
        """The share that agrees, 0.5 where nothing can be compared."""
        whole = len(self.both) + len(self.photo_only) + len(self.candidate_only)
        return len(self.both) / whole if whole else 0.5


def compared(
    photo: tuple[frozenset[str], frozenset[str]], candidate: tuple[frozenset[str], frozenset[str]]
) -> Compared:
    """Compare two views, each given as what it shows and what it could show; the telling features come first."""
    judged = photo[1] & candidate[1]
    return Compared(
        _sorted(photo[0] & candidate[0]),
        _sorted(judged & photo[0] - candidate[0]),
        _sorted(judged & candidate[0] - photo[0]),
    )


def same_by_overlap(pair: Compared) -> bool:
    """Judge without the label; sometimes wrong."""
    return pair.overlap >= _ENOUGH


def shuffled(pair: Compared, draw: Callable[[str], float]) -> Compared:
    """Return the pair in another order, so that several samples do not name the same features.

    Args:
        pair: What the views have.
        draw: A number in [0, 1) for each feature.
    """

    def moved(features: tuple[str, ...]) -> tuple[str, ...]:
        places = {one: place + _MOVED * draw(one) for place, one in enumerate(features)}
        return tuple(sorted(features, key=places.__getitem__))

    return Compared(moved(pair.both), moved(pair.photo_only), moved(pair.candidate_only))


def explained(pair: Compared, same: bool, lang: Language, imagined: str | None = None) -> Said:
    """Explain a verdict, true or not.

    Args:
        pair: What the views have.
        same: The verdict.
        lang: Of the words.
        imagined: A feature of neither view, to be named first.
    """
    agreeing = list(pair.both[: NAMED if same else 1])
    sides = zip_longest(((one, 0) for one in pair.photo_only), ((one, 1) for one in pair.candidate_only))
    disagreeing = [one for two in sides for one in two if one][: NAMED if not same else int(len(agreeing) > 1)]
    if imagined and same:
        agreeing = [imagined, *agreeing][:NAMED]
    elif imagined:
        disagreeing = [(imagined, _ORDER[imagined] % 2), *disagreeing][:NAMED]
    lines = [phrase(one, lang) for one in agreeing]
    against = [_ONLY[lang][side].format(phrase(one, lang)) for one, side in disagreeing]
    alike, unlike = _NOTHING[lang]
    if same and not lines:
        lines = [alike]
    if not same and not against:
        against = [unlike]
    reason = lines[0] if same else against[0]
    conclusion = (_SAME if same else _OTHER)[lang].format(reason)
    return Said(lines, against, conclusion, same, [*agreeing, *(one for one, _ in disagreeing)])


def _sorted(features: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(features, key=_rank))


def _rank(feature: str) -> tuple[bool, int]:
    return feature in _COMMON, _ORDER[feature]


def imaginable(shown: Sequence[frozenset[str]], judged: Sequence[frozenset[str]]) -> tuple[str, ...]:
    """Return what neither view shows and either could: what a hallucination would name."""
    return _sorted(frozenset().union(*judged) - frozenset().union(*shown))
