"""The formula gives the published figure; a segmenter and a yes or no both come out on the one scale, with a reason."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, load_photo
from geosleuth.tools import learned_locatability, segmentation
from geosleuth.tools.ade20k import class_name
from geosleuth.tools.class_weights import published_weights, weights_text
from geosleuth.tools.learned_locatability import locatability, segment_locatability, vlm_locatability
from geosleuth.tools.vlm.model import Prompt, Scores

# The example that the authors give with their weights, and what it comes to.
GOLDEN = {
    1: 0.19507864, 2: 0.33347809, 4: 0.04688785, 6: 0.36356136, 9: 0.03862819, 11: 0.01227770, 12: 0.00012079,
    20: 0.00405273, 43: 0.00023001, 53: 0.00137233, 59: 0.0000334, 87: 0.00021973, 93: 0.00200966, 138: 0.00204950,
}  # fmt: skip


def shares_of(given: dict[int, float]) -> np.ndarray:
    shares = np.zeros(150)
    shares[list(given)] = list(given.values())
    return shares


def street() -> Photo:
    """Sky, a wall with windows, a road: nothing that the flags would stop."""
    image = np.zeros((240, 320, 3), np.uint8)
    image[:80], image[80:170], image[170:] = (150, 190, 235), (170, 120, 90), (110, 110, 112)
    for left in range(10, 310, 20):
        image[95:150:12, left : left + 9] = (40, 45, 60)
    return load_photo(image)


class Seen:
    """Stands for a segmenter that sees what it is told."""

    weights = "double@0"

    def __init__(self, shares: dict[int, float]) -> None:
        self.shares = shares_of(shares)

    def class_shares(self, _: Photo) -> np.ndarray:
        return self.shares


class Asked:
    """Stands for a vision-language model: says what probability each answer has."""

    spec, weights = "double", "double@0"

    def __init__(self, **chances: float) -> None:
        self.chances = chances
        self.prompts: list[Prompt] = []

    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
        self.prompts.extend(prompts)
        with np.errstate(divide="ignore"):
            return Scores(np.log([[self.chances.get(answer, 0.0) for answer in answers] for _ in prompts]))


def test_the_published_example_comes_to_the_published_figure() -> None:
    assert locatability(shares_of(GOLDEN), published_weights()) == pytest.approx(0.486671, abs=1e-6)


def test_a_landmark_scores_a_fifth_and_a_quarter_of_road_keeps_a_street_view() -> None:
    # A building in front of the sky: 0.5 * 0.228 + 0.5 * 0.168 = 0.198.
    assert locatability(shares_of({1: 0.5, 2: 0.5}), published_weights()) == pytest.approx(0.198, abs=1e-3)
    # What is left with the same mixture: 0.75 * 0.198 + 0.25 = 0.399.
    assert locatability(shares_of({1: 0.375, 2: 0.375, 6: 0.25}), published_weights()) == pytest.approx(0.399, abs=1e-3)


def test_nothing_and_all_of_one_class() -> None:
    assert locatability(np.zeros(150), published_weights()) == 0.0
    assert locatability(shares_of({6: 1.0}), published_weights()) == 1.0


def test_the_backend_names_its_classes_and_what_each_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "load_segmenter", lambda _: Seen(GOLDEN))
    found = segment_locatability(street(), "dir:double")
    assert found.score == pytest.approx(0.486671, abs=1e-6)
    assert list(found.parts) == ["road", "sky", "building", "tree", "grass", "sidewalk"]
    assert found.parts["road"] == pytest.approx(0.36356136)
    assert found.parts["sky"] == pytest.approx(0.33347809 * 0.1682270)
    assert (found.backend, found.weights, found.flag) == ("dir:double", "double@0", None)
    assert found.reason == (
        "The score comes mostly from road (36 % of the picture, +0.36), sky (33 % of the picture, +0.06), building "
        "(20 % of the picture, +0.04); it is above 0.4, where street views are kept for training."
    )


def test_a_table_of_ones_own_is_used_and_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(segmentation, "load_segmenter", lambda _: Seen({1: 0.5, 6: 0.5}))
    weights = np.zeros(150)
    weights[1] = 1.0
    (tmp_path / "mine.tsv").write_text(weights_text(weights), encoding="utf-8")
    found = segment_locatability(street(), "dir:double", weights=tmp_path / "mine.tsv")
    assert found.score == 0.5
    assert found.parts == {"building": 0.5}
    assert "mine.tsv" in found.weights


def test_where_no_class_counts_the_reason_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "load_segmenter", lambda _: Seen({75: 1.0}))  # swivel chair, weight 0
    found = segment_locatability(street(), "dir:double")
    assert (found.score, found.parts) == (0.0, {})
    assert found.reason == "Nothing is seen that clues about places speak of."


@pytest.mark.parametrize(
    ("level", "flag"),
    [(0, "black"), (255, "blank")],
)
def test_an_empty_picture_is_not_shown_to_any_model(level: int, flag: str) -> None:
    empty = load_photo(np.full((64, 64, 3), level, np.uint8))
    model = Asked(Yes=1.0)
    for found in (segment_locatability(empty, "dir:/no/such/folder"), vlm_locatability(empty, model)):
        assert found.flag == flag
        assert found.score < 0.1
        assert found.parts == {}
        assert found.reason.endswith("The model was not asked.")
    assert model.prompts == []


def test_yes_and_no_are_added_up_over_how_they_are_written() -> None:
    found = vlm_locatability(street(), Asked(Yes=0.5, yes=0.1, No=0.15, no=0.05))
    assert found.score == pytest.approx(0.75)  # 0.6 of 0.8
    assert found.parts == pytest.approx({"yes": 0.6, "no": 0.2})
    assert found.reason == (
        "Asked whether the place could be told from the photo, the model says yes with probability 0.75."
    )
    assert (found.backend, found.weights) == ("double", "double@0")


def test_a_model_that_would_say_something_else_is_doubted() -> None:
    found = vlm_locatability(street(), Asked(Yes=0.03, No=0.01))
    assert found.score == pytest.approx(0.75)
    assert found.reason.endswith("It would answer so in 4 % of its replies only, so this says little.")


def test_a_model_that_gives_neither_is_refused() -> None:
    with pytest.raises(InputError, match="no probability for either from double"):
        vlm_locatability(street(), Asked(Maybe=1.0))


def test_the_question_stands_behind_the_photo_and_nothing_else_is_said() -> None:
    model, photo = Asked(Yes=1.0), street()
    vlm_locatability(photo, model)
    (turn,) = model.prompts[0].turns
    assert turn.role == "user"
    assert turn.parts[0] is photo.pixels
    assert turn.parts[1:] == (learned_locatability.QUESTION,)


def test_a_true_segmenter_from_a_folder(tiny_models, tmp_path: Path) -> None:
    """Random weights of MaskFormer's architecture: the path is whole, and the score is that of the shares."""
    import json
    import shutil

    shutil.copytree(tiny_models.tiny_maskformer(), tmp_path / "m")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    config["id2label"] = {str(index): class_name(index) for index in range(150)}
    (tmp_path / "m" / "config.json").write_text(json.dumps(config))
    spec = f"dir:{tmp_path / 'm'}"
    found = segment_locatability(street(), spec)
    shares = segmentation.load_segmenter(spec).class_shares(street())
    assert found.score == pytest.approx(float(shares @ published_weights()))
    assert sum(found.parts.values()) <= found.score + 1e-9
    assert found.weights.startswith("m@")


def test_a_true_vision_language_model_answers_the_question(tiny_models) -> None:
    """Random weights of Qwen2.5-VL's architecture: a score comes out, and it is the model's own softmax."""
    from geosleuth.tools.vlm.load import load_vlm

    model = load_vlm(f"dir:{tiny_models.tiny_qwen()}").for_photo()
    found = vlm_locatability(street(), model)
    scores = model.score(
        [Prompt((learned_locatability._question(street()),))], ("Yes", "yes", "No", "no")
    ).log_probabilities[0]
    yes, no = np.exp(scores[:2]).sum(), np.exp(scores[2:]).sum()
    assert found.score == pytest.approx(yes / (yes + no), abs=1e-6)
    assert 0.0 < found.score < 1.0
    assert not math.isclose(found.score, 0.5, abs_tol=1e-9)
    assert "says little" in found.reason  # some hundred tokens are as likely as these four
