"""Weights from clue texts: figures derived by hand, and clues about roads that make road the heaviest class.

All clues here are made up for the tests.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.ade20k import CLASSES, class_name
from geosleuth.tools.class_weights import read_weights
from geosleuth.training.locatability.__main__ import main
from geosleuth.training.locatability.clues import LONGEST, read_clues
from geosleuth.training.locatability.matching import MeaningMatcher, WordMatcher
from geosleuth.training.locatability.place_mentions import PlaceMentions
from geosleuth.training.locatability.recipe import class_totals, min_max

ROADS = [
    "In Kenya the roads are red and narrow",
    "In Japan the road has a white line on each side",
    "Roads in Peru have a yellow line in the middle",
    "The road in Iceland has yellow poles along it",
    "In Norway a road has a number on a green sign",
    "Wooden poles in Finland have no climbing holes",
    "Palm trees grow in Sri Lanka",
    "Drive slowly, the road is long",  # names no place
]


class BagOfWords:
    """An encoder that knows words and no meaning: a vector counts the words, plurals as their singular."""

    weights = "bag of words"

    def __init__(self, texts: Sequence[str]) -> None:
        self.column = {word: i for i, word in enumerate(sorted({w for text in texts for w in self.words(text)}))}

    @staticmethod
    def words(text: str) -> list[str]:
        return [word.removesuffix("s") for word in re.findall(r"[a-z]+", text.lower())]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), len(self.column) + 1), np.float32)
        for row, text in enumerate(texts):
            for word in self.words(text):
                vectors[row, self.column.get(word, -1)] += 1  # the last column is for all other words
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def index_of(name: str) -> int:
    return next(index for index in range(CLASSES) if class_name(index) == name)


# --- recipe


def test_totals_add_up_the_closest_classes_of_each_clue() -> None:
    similarities = np.array([[0.5, 0.2, 0.1, 0.0], [0.4, -0.1, 0.3, -0.2], [-0.3, -0.1, -0.4, -0.2]], np.float32)
    # Top 2: clue 0 has classes 0 and 1, clue 1 has 0 and 2; of clue 2 nothing is above 0.
    assert class_totals(similarities, top=2) == pytest.approx([0.9, 0.2, 0.3, 0.0])
    assert class_totals(similarities, top=2, total="count").tolist() == [2, 1, 1, 0]
    assert class_totals(similarities, top=1) == pytest.approx([0.9, 0.0, 0.0, 0.0])
    # With all of them, class 1 has 0.2 alone, since what is below 0 takes nothing away.
    assert class_totals(similarities, top=4) == pytest.approx([0.9, 0.2, 0.4, 0.0])


def test_min_max_brings_the_least_to_0_and_the_largest_to_1() -> None:
    assert min_max(np.array([2.0, 5.0, 3.0])).tolist() == pytest.approx([0.0, 1.0, 1 / 3])


def test_totals_that_are_all_the_same_are_refused() -> None:
    with pytest.raises(InputError, match="0 for each of them"):
        min_max(np.zeros(150))


# --- matching


def test_clues_about_roads_make_road_the_heaviest_class() -> None:
    encoder = BagOfWords(ROADS)
    kept = [clue for clue in ROADS if PlaceMentions()(clue)]
    assert kept == ROADS[:-1]
    weights = min_max(class_totals(MeaningMatcher(encoder).similarities(kept), top=1))
    order = [class_name(int(i)) for i in np.argsort(-weights, kind="stable")[:3]]
    assert order[0] == "road"
    assert set(order[1:]) <= {"pole", "tree", "palm"}
    assert weights[index_of("road")] == 1.0
    assert weights[index_of("swivel chair")] == 0.0


def test_words_match_names_in_the_singular_and_the_plural() -> None:
    def found(clue: str) -> list[str]:
        (row,) = WordMatcher().similarities([clue])
        return [class_name(int(index)) for index in np.flatnonzero(row)]

    assert found("Street lights and buses in Malta") == ["bus", "streetlight"]
    assert found("Route signs, pavements and trash cans") == ["road", "sidewalk", "signboard", "ashcan"]
    assert found("You can see that they cover the case in which you stand") == []  # no toilet, no blanket
    assert found("Roadside broadcasts") == []
    assert WordMatcher().similarities([]).shape == (0, 150)


# --- places


@pytest.mark.parametrize(
    ("clue", "names"),
    [
        ("In Japan, utility poles have black and yellow bands", ("Japan",)),
        ("Brazilian road signs say PARE", ("Brazilian",)),
        ("Bollards of Trinidad and Tobago and Côte d'Ivoire", ("Trinidad and Tobago", "Côte d'Ivoire")),
        ("peruvian houses are of brick", ("peruvian",)),  # written without capitals
        ("Bavaria has maypoles, Bangkok pink taxis", ("Bavaria", "Bangkok")),
        ("USA: yellow lines. The UK has white ones", ("USA", "UK")),
        ("STOP SIGNS IN KENYA ARE RED", ("KENYA",)),
        ("日本的电线杆有黑黄条纹", ("日本",)),
        ("广州的公交车是绿色的，泰国的不是", ("广州", "泰国")),
        # No places, though each is one somewhere, or in some language: Pole, Island, Male, Nice, us.
        ("Poles with holes; a Pole by the road", ()),
        ("Island roads are narrow, let us see", ()),
        ("Male drivers. Nice roads. Reading signs is hard. Most houses", ()),
        ("Northern lights and Central reservations", ()),
        ("STOP SIGNS ARE RED", ()),
        ("路牌是绿色的", ()),
        ("", ()),
    ],
)
def test_names_of_places_are_found_and_words_are_not(clue: str, names: tuple[str, ...]) -> None:
    assert PlaceMentions()(clue) == names


def test_names_are_those_of_the_languages_of_the_clues() -> None:
    assert PlaceMentions(["de"])("In Schweden sind die Straßen breit") == ("Schweden",)
    assert PlaceMentions(["en"])("In Schweden sind die Straßen breit") == ()
    with pytest.raises(InputError, match="ISO 639"):
        PlaceMentions(["klingon"])


# --- clues


def test_clues_are_read_from_lines_tables_and_json(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\ufeffOne  clue\n\nOne clue\nAnother\n" + "x" * (LONGEST + 1), encoding="utf-8")
    (tmp_path / "b.csv").write_text('id,clue\n1,"One, in\ntwo lines"\n2,\n3,Another\n4\n', encoding="utf-8")
    rows = ['"One"', '{"text": "Another"}', '{"clue": 3}', "{broken", "[" * 100_000, "9" * 9999, '{"other": "x"}']
    (tmp_path / "c.JSONL").write_text("\n".join(rows), encoding="utf-8")
    lines, table, values = (read_clues(tmp_path / name) for name in ("a.txt", "b.csv", "c.JSONL"))
    assert lines.texts == ("One clue", "Another")
    assert lines.skipped == {"there before": 1, "longer than 2000 characters": 1}
    assert table.texts == ("One, in two lines", "Another")
    assert table.skipped == {"empty": 1, "not readable": 1}
    assert values.texts == ("One", "Another")
    assert values.skipped == {"not readable": 5}
    assert repr(values) == "Clues(2 texts, 5 rows skipped)"


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("clues.docx", b"x", "clues.docx"),
        ("clues.csv", b"hint\nIn Japan\n", r"the columns \['hint'\]"),
        ("clues.csv", b"", r"the columns \[\]"),
        ("clues.txt", b"\n \n", "found none"),
        ("clues.txt", b"\xff\xfe\x00", "none that can be read"),
        ("clues.csv", b"clue\n" + b"x" * 200_000, "field larger than"),
    ],
)
def test_what_holds_no_clues_is_refused(tmp_path: Path, name: str, content: bytes, found: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=found):
        read_clues(tmp_path / name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none that can be read"):
        read_clues(tmp_path / "none.txt")


# --- the command


def test_the_command_writes_a_table_that_the_tool_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clues.txt").write_text("\n".join(ROADS), encoding="utf-8")
    out = tmp_path / "weights.tsv"
    assert main([str(tmp_path / "clues.txt"), "--encoder", "words", "--out", str(out)]) == 0
    weights = read_weights(out)
    # Seven clues name a place: five have a road, two poles, one a sign, and palm trees match palm and tree.
    expected = {"road": 1.0, "pole": 2 / 5, "signboard": 1 / 5, "tree": 1 / 5, "palm": 1 / 5}
    assert {class_name(int(i)): weights[i] for i in np.flatnonzero(weights)} == pytest.approx(expected)
    text = out.read_text(encoding="utf-8")
    assert "8 clues, 7 used, 0 rows skipped" in text
    assert "with words; sum over matches" in text
    assert capsys.readouterr().out.startswith("road\t1.000\npole\t0.400\n")
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
    assert main([str(tmp_path / "clues.txt"), "--encoder", "words", "--out", str(out), "--keep-all"]) == 0
    assert read_weights(out)[index_of("pole")] == pytest.approx(2 / 6)  # the clue without a place has a road too


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--encoder", "words", "--languages", "fi"], "name a place; found none among 1"),
        (["--encoder", "embedded"], "Wanted a text encoder"),
        (["--encoder", "words", "--recogniser", "magic"], "what recognises names of places"),
        (["--encoder", "dir:/no/such/folder"], "no such folder"),
        (["--encoder", "words", "--keep-all", "--out", "/no/such/folder/weights.tsv"], "can be written"),
    ],
)
def test_the_command_says_what_is_wrong(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clues.txt").write_text("In Schweden the roads are wide", encoding="utf-8")
    assert main([str(tmp_path / "clues.txt"), "--out", str(tmp_path / "w.tsv"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "w.tsv").exists()


@pytest.mark.parametrize("top", ["0", "151", "many", "-1"])
def test_a_wrong_number_of_classes_is_refused(top: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["clues.txt", "--encoder", "words", "--out", str(tmp_path / "w.tsv"), f"--top={top}"])
    assert "a number from 1 to 150" in capsys.readouterr().err


# --- true text encoders, tiny, with random weights


def test_a_clip_from_a_folder_makes_weights(tiny_models, tmp_path: Path) -> None:
    """Random weights: that road comes out would be chance; that the vectors are CLIP's own is not."""
    torch = pytest.importorskip("torch")
    from transformers import AutoTokenizer, CLIPModel

    from geosleuth.training.locatability.text_encoder import load_text_encoder

    folder = tiny_models.tiny_clip()
    encoder = load_text_encoder(f"dir:{folder}")
    found = encoder.encode(["road", "a much longer text about palm trees"])
    assert np.linalg.norm(found, axis=1) == pytest.approx([1.0, 1.0])
    tokens = AutoTokenizer.from_pretrained(folder)("road", return_tensors="pt")
    with torch.inference_mode():
        alone = CLIPModel.from_pretrained(folder).eval().get_text_features(**tokens)
    alone = getattr(alone, "pooler_output", alone)[0].numpy()
    # The padding that a longer neighbour brings changes nothing.
    assert found[0] == pytest.approx(alone / np.linalg.norm(alone), abs=1e-5)
    assert encoder.encode(["word " * 500]).shape == (1, 24)  # cut at 77 tokens
    (tmp_path / "clues.jsonl").write_text("\n".join(map(json.dumps, ROADS)), encoding="utf-8")
    out = tmp_path / "weights.tsv"
    assert main([str(tmp_path / "clues.jsonl"), "--encoder", f"dir:{folder}", "--out", str(out)]) == 0
    assert (read_weights(out).min(), read_weights(out).max()) == (0.0, 1.0)


def test_a_sentence_encoder_averages_the_tokens_of_each_text(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from geosleuth.training.locatability.text_encoder import load_text_encoder

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "road", "pole", "palm", "tree", "in", "kenya"]
    tokenizer = transformers.BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(tmp_path)  # as some are published
    tokenizer.save_pretrained(tmp_path)
    found = load_text_encoder(f"dir:{tmp_path}").encode(["road", "palm tree in kenya"])
    tokens = tokenizer("road", return_tensors="pt")
    with torch.inference_mode():
        model = transformers.BertModel.from_pretrained(tmp_path, add_pooling_layer=False).eval()
        mean = model(**tokens).last_hidden_state[0].mean(dim=0).numpy()  # [CLS] road [SEP], nothing padded
    assert found[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    assert load_text_encoder(f"dir:{tmp_path}").encode(["road " * 100]).shape == (1, 16)  # cut at 30 tokens
