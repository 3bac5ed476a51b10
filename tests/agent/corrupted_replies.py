"""Corrupted replies of a planner, as hypothesis draws them: sound ones, spoilt in one to three ways."""

import json
import sys

from hypothesis import strategies as st

speaking = sys.modules["speaking_model"]  # whoever loads this file has loaded its neighbour
call = speaking.call
LONGEST = 60_000  # characters of a corrupted reply: at 1,024 tokens a true one has 5,000

share = st.integers(1, 99).map(lambda i: call("submap", json.dumps({"share": i / 100}), "The belief may be narrow."))
sound = st.one_of(
    share,
    st.sampled_from(
        [
            call("read_text", words="Signs may tell."),
            call("locatability"),
            call("torn", words="Let me try."),
            f"<think>Which one? Paris?</think>{call('read_text')}",
            call("read_text") + call("submap"),
            speaking.conclude("It is Portugal."),
        ]
    ),
)
TOKENS = [
    *("<tool_call>", "</tool_call>", "<think>", "</think>", "<tool_response>", "<|im_start|>", "<|im_end|>", "</s>"),
    *("<|endoftext|>", "[INST]", "<|vision_start|><|image_pad|>", "\x00", "\x1b[2J", "\u202e", "\ufeff", "\ud800"),
    *("{", "}", '"', "\\", "\\ud83d", "[[[[", "]", ",", ":", "null", "NaN", "-Infinity", "1e999", "9" * 5000),
    *('"name"', '"arguments"', '"name": "read_text"', '{"share": true}', "\n", "é", "東京", "🗺", "ẞ" * 50),
]
WRONG = [  # what may stand in place of the arguments
    *("null", "[]", '"{}"', "7", "true", "NaN", '{"share": null}', '{"share": "most"}', '{"share": [0.5]}'),
    *('{"share": 1e400}', '{"share": -1}', '{"share": 0.5, "share": 0.6}', '{"share": 0.5, "lat": 48.8}', '{"": {}}'),
    *('{"share": ' + "9" * 400 + "}", '{"share": ' + "[" * 50 + "]" * 50 + "}", '{"a":' * 2000 + "1" + "}" * 2000),
    *('{"share": "\\u0000"}', '{"words": "It is Paris."}', '{"share": {"share": {"share": 0.5}}}'),
]
NAMES = [
    "",
    "reed_text",
    "READ_TEXT",
    "python",
    "localize",
    "perceive",
    "read_text ",
    "conclude",
    "x" * 3000,
    "東京",
    "?",
]


def cut(draw, text):
    return text[: draw(st.integers(0, len(text)))]


def without(draw, text):
    begin = draw(st.integers(0, len(text)))
    return text[:begin] + text[begin + draw(st.integers(1, 12)) :]


def swapped(draw, text):
    a, b = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    return text[b:] + text[a:b] + text[:a]


def doubled(draw, text):
    begin = draw(st.integers(0, len(text)))
    return (
        text[:begin] + text[begin : begin + draw(st.integers(1, 60))] * draw(st.sampled_from([2, 3, 40])) + text[begin:]
    )


def sown(draw, text):
    for token in draw(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=3)):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + token + text[at:]
    return text


def scribbled(draw, text):
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.text(st.characters(), min_size=1, max_size=30)) + text[at:]


def misargued(draw, _):
    return call(draw(st.sampled_from(["submap", "read_text", "conclude"])), draw(st.sampled_from(WRONG)))


def misnamed(draw, text):
    name = draw(st.sampled_from(NAMES) | st.text(max_size=20))
    return text.replace('"read_text"', json.dumps(name)).replace('"submap"', json.dumps(name, ensure_ascii=False))


def mistagged(draw, text):
    old, new = draw(
        st.sampled_from([("<tool_call>", ""), ("</tool_call>", ""), ("<tool", "<TOOL"), ("_call>", "-call>")])
    )
    return text.replace(old, new)


def endless(draw, text):
    return text * min(draw(st.sampled_from([9, 17, 2000])), 1 + LONGEST // max(len(text), 1))


def prose(draw, _):
    said = ["It is certainly Paris, France.", "I cannot help with that.", "read_text()", "```json\n{}\n```", "", " \n"]
    return draw(st.sampled_from(said)) * draw(st.sampled_from([1, 1, 500]))


def bare(draw, _):
    words = st.dictionaries(
        st.text(max_size=8), st.none() | st.booleans() | st.floats() | st.text(max_size=8), max_size=3
    )
    return f"<tool_call>{json.dumps(draw(words | st.lists(words, max_size=2)))}</tool_call>"


CORRUPTIONS = (
    *(cut, without, swapped, doubled, sown, scribbled, misargued, misnamed, mistagged, endless, prose, bare),
)


@st.composite
def corrupted(draw):
    """One reply, corrupted in one to three ways, whether it was finished, and whether it is another than before."""
    text = before = draw(sound)
    for corrupt in draw(st.lists(st.sampled_from(CORRUPTIONS), min_size=1, max_size=3)):
        text = corrupt(draw, text)
    finished = draw(st.sampled_from([True, True, True, False]))
    return text[:LONGEST], finished, text != before or not finished


@st.composite
def conversations(draw):
    """One or two corrupted replies, then a sound one: the third of a kind would hand the photo over to the rules.

    Each is (text, finished, corrupted).
    """
    replies: list[tuple[str, bool, bool]] = []
    for i in range(draw(st.integers(8, 16))):
        replies += [draw(corrupted()) for _ in range(draw(st.sampled_from([1, 1, 1, 1, 2])))]
        replies.append((call("submap", json.dumps({"share": (i + 1) / 50})), True, False))
    return [*replies, (speaking.conclude("This is certainly Paris."), True, False)]
