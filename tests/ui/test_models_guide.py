"""What docs/models.md tells people to write is true of this version."""

import re
from pathlib import Path

import pytest

from geosleuth.agent.settings import load_settings
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
