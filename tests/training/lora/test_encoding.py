from dataclasses import replace

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.comparison_prompts import SAME_PLACE, answering, prompt
from geosleuth.tools.georeasoner_reply import prompt as where
from geosleuth.tools.gleam_x import WHY
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.tools.vlm.model import Prompt, Turn
from geosleuth.tools.vlm.naive import NaiveRunner
from geosleuth.training.lora.collate import Collate
from geosleuth.training.lora.encoding import UNLEARNED, LessonEncoder, Row
from geosleuth.training.lora.lesson import Lesson

torch = pytest.importorskip("torch")

WHY_NOT = '{"agreeing": ["road"], "disagreeing": [], "conclusion": "No.", "same_place": false}'


@pytest.fixture(scope="module")
def shared(tiny):
    return load_vlm(f"dir:{tiny}")


@pytest.fixture(scope="module")
def encoder(shared):
    return LessonEncoder(shared.base.processor, sorted(shared.base.end_tokens), shared.max_pixels)


@pytest.fixture(scope="module")
def verifier(kit):
    """A verdict and its reasons, as the tool asks for them."""
    first = prompt(kit.picture(0), ("satellite", kit.picture(1)), question=SAME_PLACE)
    second = answering(first, "No", question=WHY["en"])
    return Lesson((*second.turns, Turn("assistant", (WHY_NOT,)))), first, second


def learned(row, tokenizer):
    return tokenizer.decode(row.labels[row.labels != UNLEARNED], skip_special_tokens=False)


def test_a_verifier_learns_its_two_answers_with_their_ends_and_nothing_else(encoder, shared, verifier):
    lesson, *_ = verifier
    [row] = encoder.encode(lesson)
    tokenizer = shared.base.processor.tokenizer
    assert learned(row, tokenizer) == f"No<|im_end|>{WHY_NOT}<|im_end|>"
    assert np.array_equal(row.tokens[row.labels != UNLEARNED], row.labels[row.labels != UNLEARNED])
    assert row.n_learned == (row.labels != UNLEARNED).sum()
    assert row.n_pictures == 2


def test_what_stands_before_each_answer_is_what_the_model_is_asked_with(encoder, shared, verifier):
    lesson, *asked = verifier
    [row] = encoder.encode(lesson)
    view = shared.for_photo(reuse=False)
    runner = NaiveRunner(shared.base, shared.processor)
    for one, answer in zip(asked, ("No", WHY_NOT), strict=True):
        inputs = runner._inputs(view._rendered(one))
        prefix = inputs["input_ids"][0].numpy()
        assert np.array_equal(row.tokens[: len(prefix)], prefix)
        # The answer follows, as the tool's own scoring tokenises it: "No" is one and the same token.
        tokens = view._tokens(answer)
        assert tuple(row.tokens[len(prefix) : len(prefix) + len(tokens)]) == tokens
        assert np.array_equal(row.per_token["mm_token_type_ids"][: len(prefix)], inputs["mm_token_type_ids"][0])
    assert torch.equal(row.pictures["pixel_values"], inputs["pixel_values"])
    assert torch.equal(row.pictures["image_grid_thw"], inputs["image_grid_thw"])


def test_the_loss_of_an_answer_is_the_score_that_the_tool_reads_off(encoder, shared, kit):
    asked = where(kit.picture(2))
    answer = '{"country": "France"}'
    [row] = encoder.encode(Lesson((*asked.turns, Turn("assistant", (answer,)))))
    batch = Collate(0)([[row]])
    with torch.inference_mode():
        keep = batch.pop("logits_to_keep")
        targets = batch.pop("shift_labels")
        inputs = {name: value for name, value in batch.items() if torch.is_tensor(value) and name != "labels"}
        logits = shared.base.model(**inputs, logits_to_keep=keep).logits
    assert logits.shape[0] == row.n_learned  # no logits but of learned tokens
    ours = -torch.nn.functional.cross_entropy(logits[:-1].float(), targets[:-1], reduction="sum")  # without the end
    [[theirs]] = shared.for_photo(reuse=False).score([asked], [answer]).log_probabilities
    assert float(ours) == pytest.approx(theirs, rel=1e-4)


def test_writing_that_looks_like_structure_is_neutralised_in_question_and_answer(encoder, shared, kit):
    turns = (Turn("user", (kit.picture(0), "<|im_end|>")), Turn("assistant", ("Yes<|im_end|>No",)))
    [row] = encoder.encode(Lesson(turns))
    end = shared.base.processor.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert list(row.labels).count(end) == 1
    assert row.labels[-1] == end


def test_a_large_picture_is_reduced_as_when_the_model_is_asked(encoder, shared):
    wide = np.zeros((1200, 1200, 3), np.uint8)
    [row] = encoder.encode(Lesson((Turn("user", (wide, "Where?")), Turn("assistant", ("Japan",)))))
    seen = NaiveRunner(shared.base, shared.processor)._inputs(
        shared.for_photo()._rendered(Prompt((Turn("user", (wide, "Where?")),)))
    )
    assert torch.equal(row.pictures["image_grid_thw"], seen["image_grid_thw"])
    assert int(row.pictures["image_grid_thw"].prod()) * 196 <= shared.max_pixels


def test_answers_that_the_template_does_not_write_as_they_are_asked_become_sequences_of_their_own(tiny_models, kit):
    llava = load_vlm(f"dir:{tiny_models.tiny_llava()}")
    encoder = LessonEncoder(llava.base.processor, sorted(llava.base.end_tokens), llava.max_pixels)
    first = (Turn("user", (kit.picture(0), "Where?")), Turn("assistant", ("Japan",)))
    rows = encoder.encode(Lesson((*first, Turn("user", ("Why?",)), Turn("assistant", ("the sign",)))))
    tokenizer = llava.base.processor.tokenizer
    # LLaVA's template writes a blank around an answer and no end mark: the model stops at </s>.
    assert [learned(row, tokenizer) for row in rows] == ["Japan</s>", "the sign</s>"]
    asked = NaiveRunner(llava.base, llava.processor)._inputs(
        llava.for_photo()._rendered(Prompt((*first, Turn("user", ("Why?",)))))
    )
    assert np.array_equal(rows[1].tokens[: asked["input_ids"].shape[1]], asked["input_ids"][0].numpy())
    batch = Collate(3)([rows])
    assert batch["pixel_values"].shape == (2, 3, 56, 56)


def test_a_lesson_without_an_answer_or_with_a_picture_in_it_is_refused(encoder, kit):
    with pytest.raises(InputError, match="without an assistant's turn"):
        encoder.encode(Lesson((Turn("user", ("Where?",)),)))
    with pytest.raises(InputError, match="a picture in an assistant's turn"):
        encoder.encode(Lesson((Turn("user", ("Where?",)), Turn("assistant", (kit.picture(0),)))))


def test_a_batch_is_filled_up_on_the_right_and_keeps_the_places_before_what_is_learned(encoder, kit):
    lessons = [encoder.encode(kit.Noise()[i]) for i in range(3)]  # one, two and three tokens' height
    lengths = [len(rows[0].tokens) for rows in lessons]
    assert len(set(lengths)) == 3
    batch = Collate(7)(lessons)
    assert batch["input_ids"].shape == (3, max(lengths))
    for i, ((row,), length) in enumerate(zip(lessons, lengths, strict=True)):
        assert np.array_equal(batch["input_ids"][i, :length].numpy(), row.tokens)
        assert (batch["input_ids"][i, length:] == 7).all()
        assert batch["attention_mask"][i].sum() == length
        assert (batch["labels"][i, length:] == UNLEARNED).all()
    kept = batch["labels"].roll(-1, dims=1)[batch["logits_to_keep"]]
    assert torch.equal(kept, batch["shift_labels"])
    assert len(kept) == (batch["labels"] != UNLEARNED).sum() == sum(r.n_learned for [r] in lessons)
    assert batch["image_grid_thw"].shape == (3, 3)
    assert (batch["n_tokens"], batch["n_pictures"], batch["n_padded"]) == (sum(lengths), 3, 3 * max(lengths))


def test_rows_with_unlike_prompts_keep_no_more_logits_than_they_teach():
    def row(before):
        tokens = np.arange(before + 15)
        labels = np.where(np.arange(before + 15) < before, UNLEARNED, tokens)
        return Row(tokens, labels, {"attention_mask": np.ones(before + 15, np.int64)}, {}, 0)

    batch = Collate(0)([[row(20 * i)] for i in range(1, 11)])
    assert batch["logits_to_keep"].sum() == len(batch["shift_labels"]) == 150
    assert batch["shift_labels"][:15].tolist() == list(range(20, 35))


def test_what_is_not_learned_leaves_a_batch_unless_there_is_nothing_else(encoder, kit):
    [row] = encoder.encode(kit.Noise()[2])
    filler = replace(row, labels=np.full_like(row.labels, UNLEARNED))
    assert Collate(7)([[row], [filler]])["input_ids"].shape == (1, len(row.tokens))
    alone = Collate(7)([[filler], [filler]])
    assert alone["input_ids"].shape == (1, len(row.tokens))
    assert len(alone["shift_labels"]) == 0


def test_candidate_is_what_the_tool_judges():
    """The verifier's words above are `match_prompt`'s: this test's own lesson must not drift from the tool."""
    from types import SimpleNamespace

    from geosleuth.tools.gleam_x import match_prompt

    photo, picture = SimpleNamespace(pixels=np.zeros((28, 28, 3), np.uint8)), np.ones((28, 28, 3), np.uint8)
    candidate = SimpleNamespace(view="satellite")
    asked = match_prompt(photo, candidate, picture)
    ours = prompt(photo.pixels, ("satellite", picture), question=SAME_PLACE)
    assert [[p for p in t.parts if isinstance(p, str)] for t in asked.turns] == [
        [p for p in t.parts if isinstance(p, str)] for t in ours.turns
    ]
