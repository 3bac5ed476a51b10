"""What docs/models.md tells people to write is true of this version."""

import re
from pathlib import Path

import pytest

from geosleuth.agent.conversation import text_tokens, tokens
from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.planner_vlm import CONTEXT_TOKENS, PIXELS_OF_A_TOKEN, REPLY_TOKENS, VlmPlanner
from geosleuth.agent.prompts import opening
from geosleuth.agent.settings import load_settings
from geosleuth.agent.toolbox import toolbox
from geosleuth.indexes.backend import RUNS_HERE

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "models.md").read_text(encoding="utf-8")
CONVERSATIONS = {
    "one image between two texts": [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]}
    ],
    "calls, results, an image after them": [
        {"role": "system", "content": [{"type": "text", "text": "You plan."}]},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Where?"}]},
        {
            "role": "assistant",
            "content": "A sign.",
            "tool_calls": [{"function": {"name": "read", "arguments": {"line": 1}}}],
        },
        {"role": "tool", "content": "first"},
        {"role": "tool", "content": "second"},
        {"role": "user", "content": [{"type": "image"}]},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "read", "arguments": {}}}]},
        {"role": "tool", "content": "third"},
    ],
}


@pytest.mark.parametrize("written", re.findall(r"^```toml\n(.*?)^```", GUIDE, re.M | re.S))
def test_each_example_of_settings_is_valid(written, tmp_path):
    file = tmp_path / "geosleuth.toml"
    file.write_text(written)
    load_settings(file, environ={})


def test_the_sections_that_the_doctor_points_at():
    headings = {line.lstrip("#").strip().lower() for line in GUIDE.splitlines() if line.startswith("#")}
    assert headings >= {*RUNS_HERE, "memory"}


def most_pictures(pixels: int) -> int:
    """Pictures that a planner's conversation has room for, with the fewest tools."""
    each = pixels // PIXELS_OF_A_TOKEN
    planner = VlmPlanner(model=None).bind_tools([tool.schema for tool in toolbox(TOOLS).values()])
    schemas = sum(text_tokens(str(schema)) for schema in planner.tools)
    said = sum(tokens(message, each) for message in opening((4000, 3000), of_model=True))
    situation = 1000  # conversation.py counts the last message in thousands
    return (CONTEXT_TOKENS - REPLY_TOKENS - schemas - said - situation) // each


def test_the_servers_have_room_for_the_planner():
    assert f"at most {most_pictures(602_112)} pictures at 602,112 px" in GUIDE
    assert f"{most_pictures(401_408)} at 401,408" in GUIDE
    other_roles = '`--max-model-len 4096` and `"image": 2` are enough for the other roles'
    assert other_roles in GUIDE
    planned = GUIDE.replace(other_roles, "")
    lengths = [int(n) for n in re.findall(r"--(?:max-model-len|context-length) (\d+)", planned)]
    assert len(lengths) == 5
    assert min(lengths) >= CONTEXT_TOKENS
    images = [int(n) for n in re.findall(r'"image": (\d+)', planned)]
    assert len(images) == 2
    assert min(images) >= most_pictures(602_112)


def test_its_links_exist():
    for target in re.findall(r"\]\(([^)#]+)", GUIDE):
        assert (DOCS / target).exists(), target


@pytest.mark.parametrize("tools", [None, [{"type": "function", "function": {"name": "read", "parameters": {}}}]])
@pytest.mark.parametrize("conversation", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_the_servers_template_writes_what_the_local_one_does(tiny_models, conversation, tools):
    from transformers.utils.chat_template_utils import render_jinja_template

    def rendered(template: str) -> str:
        texts, _ = render_jinja_template(
            [conversation], tools=tools, chat_template=template, add_generation_prompt=True
        )
        return texts[0]

    written = rendered((DOCS / "qwen2_5_vl_tools.jinja").read_text(encoding="utf-8"))
    assert written == rendered(tiny_models.QWEN_TEMPLATE)
    assert written.count("<|image_pad|>") == str(conversation).count("'image'")
