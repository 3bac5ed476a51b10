"""The other ways by which strangers' words reach a planner: files, errors, galleries, captions, templates.

The planner is the gullible one of gullible.py.
"""

import importlib.util
import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.tool import tool_call
from PIL import Image

from geosleuth.agent import embedded_tools, gallery_tools, prompts, toolbox
from geosleuth.agent.references import References
from geosleuth.agent.tool_images import candidate_images, image_message, match_images, sign_images
from geosleuth.agent.toolbox import Finding, Scene, ToolImage
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.quoting import neutralised

_spec = importlib.util.spec_from_file_location("gullible", Path(__file__).with_name("gullible.py"))
gullible = sys.modules.setdefault("gullible", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(gullible)
ALL = gullible.ALL
PICTURE = gullible.PICTURE
PLANNED = gullible.PLANNED
SIGNS = gullible.SIGNS
calls_of = gullible.calls_of
heard = gullible.heard
investigated = gullible.investigated
line = gullible.line
order_in = gullible.order_in
report_place = gullible.report_place
texts_of = gullible.texts_of


def test_our_own_words_pass_as_they_are():
    """The neutralisation stands before every model: what we tell it must not change, and is no order of a sign's."""
    tools = toolbox.toolbox(embedded_tools.TOOLS | gallery_tools.GALLERY_TOOLS)
    schemas = json.dumps([tool.schema for tool in tools.values()])
    result = Finding("2 findings", figures={"countries": ["PT", "ES"], "exact": True, "none": [None]}).for_planner()
    own = [prompts.SYSTEM, prompts.SYSTEM_OF_MODEL, prompts.KNOWN_PREFIX, schemas, result, prompts.REPEATED]
    own += texts_of(image_message([ToolImage(PICTURE[:20, :20], "a sign, read as 'Luna'")]))
    assert [text for text in own if neutralised(text) != text] == []
    assert [text for text in own[2:] if order_in(text)] == []


# What else strangers write: file names, EXIF, addresses of references, messages of errors, captions of pictures.


def hostile_jpeg(text):
    exif = Image.Exif()
    exif.update({0x010E: text, 0x010F: text, 0x0110: text, 0x0131: text, 0x013B: text})  # description to artist
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "JPEG", exif=exif)
    return load_photo(file.getvalue(), name=f"{text}.jpg")


@pytest.mark.parametrize("text", SIGNS["en"][:12])  # EXIF's texts are ASCII
def test_what_a_file_says_of_itself_is_quoted_too(text):
    found = embedded_tools.metadata(Scene(hostile_jpeg(text)))
    assert any(text[:8] in one.claim for one in found.evidence)
    assert heard(found) == []


def failing_over(name):
    def read_text(scene: Scene) -> Finding:
        """Fail."""
        raise InputError("a picture", f"no such file: {name}", "Look for it.")

    return read_text


@pytest.mark.parametrize("text", ALL[::3])
def test_a_file_name_in_an_error_is_quoted_too(text):
    """What a tool raises may name the file or a reference."""
    answer = investigated(failing_over(text))
    assert calls_of(answer) == PLANNED
    assert text in answer.trace[1].result


def test_addresses_of_references_are_quoted_too():
    spec = importlib.util.spec_from_file_location("galleries", Path(__file__).with_name("galleries.py"))
    galleries = sys.modules.setdefault("galleries", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(galleries)
    street = galleries.street(8)
    named = [replace(one, uri=f"{text}.jpg") for one, text in zip(street.references, ALL[3:11], strict=True)]
    gallery = galleries.MemoryGallery(named, street.pixels)
    photo = load_photo(galleries.place(100, shift=12), name="query.jpg")
    scene = Scene(
        photo,
        references=References(gallery, galleries.Thumbnails(), "embedded"),
        belief=lambda: {"SE": 1.0},
        planner_sees=True,
    )
    found = gallery_tools.retrieve(scene, by="everything", rerank="none")
    assert "report_place" in str(found.figures)
    verified = gallery_tools.verify(replace(scene, candidates=found.candidates))
    assert any(one.verification.verdict == "match" for one in verified.candidates)
    assert heard(found, verified) == []
    images = [*candidate_images(scene, found.candidates), *match_images(scene, verified.candidates)]
    assert len(images) == 2
    assert [text for text in texts_of(image_message(images)) if order_in(text)] == []


def test_captions_are_quoted_too():
    blank = PICTURE[:20, :20]
    for text in ALL:
        told = texts_of(image_message([ToolImage(blank, text), ToolImage(blank, f"a sign, read as {text}")]))
        assert [one for one in told if order_in(one)] == []
    scene = Scene(load_photo(PICTURE), planner_sees=True)
    images = sign_images(scene, [line(text) for text in ALL])
    assert [one for one in texts_of(image_message(images)) if order_in(one)] == []


def test_a_models_template_writes_the_same_turns_whatever_the_signs_say(tiny_models):
    """All forty in one conversation, as the tiny Qwen's own template and tokenizer have it."""
    transformers = pytest.importorskip("transformers")
    from geosleuth.tools.vlm.chat_format import ChatFormat

    processor = transformers.AutoProcessor.from_pretrained(tiny_models.tiny_qwen())
    own = processor.tokenizer.added_tokens_decoder

    def structure(*texts):
        finding = Finding("signs", lines=tuple(line(text) for text in texts))
        said = AIMessage("I read.", tool_calls=[tool_call(name="read_text", args={}, id="1")])
        raw_too = HumanMessage("\n".join(texts))  # even where somebody forgets to quote
        told = ToolMessage(finding.for_planner(), tool_call_id="1")
        messages = [SystemMessage("You plan."), HumanMessage("Where?"), said, told, raw_too]
        text, _ = ChatFormat(processor).of_chat(messages, [toolbox.Tool.of("report_place", report_place).schema])
        return [token for token in processor.tokenizer(text).input_ids if token in own]

    assert structure(*ALL) == structure("Boulangerie du Moulin")
    assert len(structure("Boulangerie du Moulin")) > 10
