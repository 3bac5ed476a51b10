"""Who finds places in clues: the tables on 60 invented ones, and spaCy with pipelines that are made here.

`place_clues.jsonl` has 30 clues that name a place and 30 that do not, 18 and 12 of them in English and Chinese. Some of
the words in it that deceive (Nice, Reading, Male) are on the tables' own list of exceptions: their figure flatters.
"""

import json
import re
import sys
from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.locatability.cleaning import NO_PLACE, clean, keep_all, write_clues
from geosleuth.training.locatability.clues import Clues
from geosleuth.training.locatability.entity_model import load_entity_model
from geosleuth.training.locatability.named_entities import load_recogniser

CLUES = [json.loads(line) for line in Path(__file__).with_name("place_clues.jsonl").read_text("utf-8").splitlines()]


def counts(recogniser, lang):
    """Clues rightly kept, wrongly kept, and those that name a place."""
    rows = [(one["names_place"], bool(recogniser(one["clue"]))) for one in CLUES if one["lang"] == lang]
    return (
        sum(is_one and kept for is_one, kept in rows),
        sum(kept > is_one for is_one, kept in rows),
        sum(is_one for is_one, _ in rows),
    )


@pytest.mark.parametrize(("lang", "right", "wrong", "of"), [("en", 15, 3, 18), ("zh", 9, 1, 12)])
def test_what_the_tables_find_of_sixty_clues(lang, right, wrong, of):
    found, mistaken, there = counts(load_recogniser(), lang)
    assert there == of
    assert found >= right  # the figures that named_entities.py gives
    assert mistaken <= wrong


@pytest.fixture(scope="module")
def ruled(tmp_path_factory):
    """Pipelines of rules, for English and Chinese, as folders."""
    spacy = pytest.importorskip("spacy")
    folders = {}
    for lang, patterns in {
        "en": [("GPE", "Japan"), ("NORP", "Brazilian"), ("LOC", "the Andes"), ("FAC", "Route 66"), ("PERSON", "Mark")],
        "zh": [("GPE", "日 本"), ("GPE", "M a r k")],  # its tokens are characters
    }.items():
        pipeline = spacy.blank(lang)
        rules = pipeline.add_pipe("entity_ruler")
        rules.add_patterns([{"label": label, "pattern": _tokens(text)} for label, text in patterns])
        folders[lang] = tmp_path_factory.mktemp(lang)
        pipeline.to_disk(folders[lang])
    return folders


def _tokens(text):
    return [{"ORTH": one} for one in text.split()]


def test_entities_that_are_places_are_found(ruled):
    recogniser = load_recogniser(f"spacy:{ruled['en']}")
    assert recogniser("Mark saw Japan, the Andes, Route 66, Japan and Brazilian signs") == (
        "Japan",
        "the Andes",
        "Route 66",
        "Brazilian",
    )
    assert recogniser("Mark said so") == ()
    assert recogniser("") == ()
    assert recogniser.described == "spaCy en_pipeline 0.0.0"


def test_several_pipelines_each_read_their_own_script(ruled):
    recogniser = load_recogniser(f"spacy:{ruled['en']}+{ruled['zh']}")
    assert recogniser("日本的电线杆") == ("日本",)
    assert recogniser("Poles in Japan") == ("Japan",)
    assert recogniser("Mark") == ()  # the Chinese pipeline would take it for a place, and is not asked
    assert recogniser("日本 Japan") == ("Japan", "日本")
    assert recogniser.described == "spaCy en_pipeline 0.0.0 and spaCy zh_pipeline 0.0.0"


def test_a_pipeline_that_learned_is_asked_like_one_of_rules(tmp_path):
    spacy = pytest.importorskip("spacy")
    from spacy.training import Example
    from spacy.util import fix_random_seed

    fix_random_seed(0)
    pipeline = spacy.blank("en")
    pipeline.add_pipe("ner").add_label("GPE")
    taught = []
    for place in ("Japan", "Kenya", "Peru", "Malta"):
        for text in (f"In {place} roads are narrow", f"Signs in {place} are green"):
            start = text.index(place)
            taught.append((text, {"entities": [(start, start + len(place), "GPE")]}))
    taught += [("Roads here are narrow", {"entities": []}), ("Signs here are green", {"entities": []})]
    examples = [Example.from_dict(pipeline.make_doc(text), spans) for text, spans in taught]
    optimiser = pipeline.initialize(lambda: examples)
    for _ in range(12):
        pipeline.update(examples, sgd=optimiser)
    pipeline.to_disk(tmp_path)
    recogniser = load_recogniser(f"spacy:{tmp_path}")
    assert recogniser("In Peru signs are green") == ("Peru",)
    assert recogniser("Roads here are green") == ()


def test_a_token_classifier_of_transformers(tmp_path):
    """A tiny BERT whose weights are set by hand: the word "japan" is a place's name, and "poles" a person's."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "japan", "new", "poles", "in"]
    labels = ["O", "B-LOC", "I-LOC", "B-PER"]
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=0, num_attention_heads=1, max_position_embeddings=512,
        id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)},
    )  # fmt: skip
    model = transformers.BertForTokenClassification(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1.0)
        embedded = model.bert.embeddings.word_embeddings.weight
        for column, word in enumerate(("in", "new", "japan", "poles")):
            embedded[words.index(word), column] = 1.0
        for label, column in ((1, 1), (2, 2), (3, 3)):
            model.classifier.weight[label, column] = 1.0
        model.classifier.bias[0] = 0.5
    model.save_pretrained(tmp_path)
    transformers.BertTokenizer(vocab={word: i for i, word in enumerate(words)}).save_pretrained(tmp_path)
    recogniser = load_recogniser(f"dir:{tmp_path}")
    assert recogniser("Poles in New Japan") == ("New Japan",)
    assert recogniser("Poles in " * 600) == ()  # cut at what BERT can read
    assert recogniser(" ") == ()
    assert re.fullmatch(r".+@[0-9a-f]{8,}", recogniser.described)  # the folder and the hash of its weights
    with pytest.raises(InputError, match="without adapters"):
        load_recogniser(f"dir:{tmp_path}+dir:{tmp_path}")
    with pytest.raises(InputError, match="found one with the labels LOC, O, PER"):
        load_entity_model(f"dir:{tmp_path}", frozenset({"GPE"}))


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("flair:x", "'flair:x'"),
        ("dir:/no/such/folder", "no such folder"),
        ("spacy:", "'spacy:'"),
        ("spacy:a+", "'spacy:a\\+'"),
        ("spacy:no_such_pipeline", "Can't find model 'no_such_pipeline'"),
    ],
)
def test_what_recognises_nothing_is_refused(spec, found):
    pytest.importorskip("spacy")
    with pytest.raises(InputError, match=found):
        load_recogniser(spec)


def test_a_folder_that_is_no_pipeline_or_finds_no_places(tmp_path):
    spacy = pytest.importorskip("spacy")
    with pytest.raises(InputError, match=r"Could not read meta\.json"):
        load_recogniser(f"spacy:{tmp_path}")
    pipeline = spacy.blank("en")
    pipeline.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Mark"}])
    pipeline.to_disk(tmp_path)
    with pytest.raises(InputError, match="found one with the labels PERSON"):
        load_recogniser(f"spacy:{tmp_path}")


def test_without_spacy_the_remedy_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(InputError, match="pip install spacy"):
        load_recogniser("spacy:en_core_web_sm")


# --- what is kept


def test_kept_and_dropped_clues_are_counted_with_examples(tmp_path):
    clues = Clues(("In Japan poles are striped", "Look at the sun", "Japan has Kanji"), {"empty": 2})
    cleaned = clean(clues, load_recogniser())
    assert cleaned.kept == ((clues.texts[0], ("Japan",)), (clues.texts[2], ("Japan",)))
    assert cleaned.dropped == ((clues.texts[1], NO_PLACE),)
    summary = write_clues(cleaned, tmp_path / "out", {"more": 1})
    assert json.loads((tmp_path / "out/clues.json").read_text("utf-8")) == summary
    assert (summary["clues"], summary["kept"], summary["dropped"]) == (3, 2, {NO_PLACE: 1})
    assert summary["skipped_rows"] == {"empty": 2}
    assert summary["commonest_places"] == {"Japan": 2}
    assert summary["recogniser"] == "geosleuth's tables (en, zh)"
    assert summary["dropped_examples"] == [{"clue": "Look at the sun", "reason": NO_PLACE}]
    assert keep_all(clues).texts == clues.texts


def test_clues_that_all_name_no_place_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"none among 1 .geosleuth's tables"):
        clean(Clues(("Look at the sun",)), load_recogniser())
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="that can be written"):
        write_clues(keep_all(Clues(("x",))), tmp_path / "file")
