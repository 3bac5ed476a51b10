import json

import pytest

from geosleuth.tools.vlm.tool_calls import MOST_READ, parse_reply

READ = '<tool_call>\n{"name": "read_text", "arguments": {}}\n</tool_call>'
SUBMAP = '<tool_call>\n{"name": "submap", "arguments": {"share": 0.5}}\n</tool_call>'


def made(reply):
    return [(call["name"], call["args"]) for call in reply.tool_calls]


def test_words_and_calls_come_apart():
    reply = parse_reply(f"The sign may tell.\n{READ}", finished=True)
    assert reply.content == "The sign may tell."
    assert made(reply) == [("read_text", {})]
    assert reply.invalid_tool_calls == []
    assert reply.response_metadata["finish_reason"] == "tool_calls"


def test_two_calls_keep_their_order_and_have_ids_of_their_own():
    reply = parse_reply(f"First{READ}\nthen{SUBMAP}", finished=True)
    assert reply.content == "First\nthen"
    assert made(reply) == [("read_text", {}), ("submap", {"share": 0.5})]
    ids = [call["id"] for call in [*reply.tool_calls, *parse_reply(READ, finished=True).tool_calls]]
    assert len(set(ids)) == 3


def test_words_alone_are_no_call():
    reply = parse_reply("I think it is Lisbon.", finished=True)
    assert (reply.content, reply.tool_calls, reply.invalid_tool_calls) == ("I think it is Lisbon.", [], [])
    assert reply.response_metadata["finish_reason"] == "stop"


def test_a_cut_off_reply_says_so_and_its_whole_calls_stand():
    assert parse_reply("I think", finished=False).response_metadata["finish_reason"] == "length"
    reply = parse_reply(READ + "And th", finished=False)
    assert made(reply) == [("read_text", {})]
    assert reply.response_metadata["finish_reason"] == "length"
    (cut,) = parse_reply(READ[:30], finished=False).invalid_tool_calls
    assert cut["error"] == "not a call: the tag was never closed, as the reply was cut off"


@pytest.mark.parametrize(
    ("text", "called", "words"),
    [
        (f"<think>Shall I {READ}?</think>{SUBMAP}", ["submap"], "<think>Shall I " + READ + "?</think>"),
        (f"Shall I {READ}?</think>{SUBMAP}", ["submap"], f"Shall I {READ}?</think>"),  # the template opened the thought
        (f"<think>{READ}", [], f"<think>{READ}"),  # never ended: all of it is a thought
        (f"<think>a</think>{READ}<think>{SUBMAP}</think>", ["read_text"], f"<think>a</think><think>{SUBMAP}</think>"),
    ],
)
def test_what_is_thought_is_not_called(text, called, words):
    reply = parse_reply(text, finished=True)
    assert [call["name"] for call in reply.tool_calls] == called
    assert reply.content == words


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"name": "read_text", "arguments": {}', "it is no JSON ("),
        ("", "it is no JSON ("),
        ("{'name': 'read_text', 'arguments': {}}", "it is no JSON ("),
        ('{"name": "read_text", "arguments": {}} {}', "it is no JSON ("),
        ('{"name": "a\nb", "arguments": {}}', "it is no JSON ("),  # a control character inside a string
        ('["read_text"]', "it is a JSON list, not an object"),
        ("null", "it is a JSON null, not an object"),
        ('{"arguments": {}}', 'the key "name" is missing'),
        ('{"name": "read_text"}', 'the key "arguments" is missing'),
        ('{"name": "read_text", "arguments": {}, "id": 1}', 'the key "id" does not belong there'),
        ('{"name": "a", "name": "b", "arguments": {}}', 'the key "name" stands there twice'),
        ('{"name": "a", "arguments": {"x": 1, "x": 2}}', 'the key "x" stands there twice'),
        ('{"name": 7, "arguments": {}}', '"name" is a number, not the name of a tool'),
        ('{"name": "", "arguments": {}}', '"name" is a string, not the name of a tool'),
        ('{"name": "a", "arguments": null}', '"arguments" is a null, not an object'),
        ('{"name": "a", "arguments": [1]}', '"arguments" is a list, not an object'),
        ('{"name": "a", "arguments": "{\\"share\\": 0.5}"}', '"arguments" is a string, not an object'),
        ('{"name": "a", "arguments": {"x": NaN}}', "NaN is no JSON number"),
        ('{"name": "a", "arguments": {"x": -Infinity}}', "-Infinity is no JSON number"),
        ('{"name": "a", "arguments": {"x": 1e999}}', "1e999 is too large a number"),
        ('{"name": "a", "arguments": {"x": ' + "9" * 5000 + "}}", "it is no JSON ("),
        ('{"name": "a", "arguments": {"x": ' + "[" * 17 + "]" * 17 + "}}", "it is nested deeper than 16 levels"),
        ('{"name": "a", "arguments": {"x": ' + "[" * 3000, "it is nested deeper than 16 levels"),
        ('{"name": "a", "arguments": {"x": "\\ud800"}}', "it holds half of a surrogate pair"),
        ('{"name": "a", "arguments": {"x": "' + "y" * 8000 + '"}}', "it has 8037 characters, and 8000 are allowed"),
    ],
)
def test_what_is_not_strictly_a_call_is_invalid_with_the_reason(body, reason):
    reply = parse_reply(f"Words.<tool_call>{body}</tool_call>", finished=True)
    assert reply.tool_calls == []
    assert reply.content == "Words."
    (invalid,) = reply.invalid_tool_calls
    assert invalid["error"].startswith(f"not a call: {reason}")
    assert len(invalid["args"]) <= 200


@pytest.mark.parametrize(
    ("text", "called", "reasons"),
    [
        (READ.removesuffix("</tool_call>"), [], ["the tag was never closed"]),
        (f"<tool_call>{READ}", ["read_text"], ["the tag was opened again before it was closed"]),
        (f"{READ}</tool_call>", ["read_text"], ["a tag was closed that was never opened"]),
        ("</tool_call>", [], ["a tag was closed that was never opened"]),
    ],
)
def test_tags_that_do_not_pair_are_invalid(text, called, reasons):
    reply = parse_reply(text, finished=True)
    assert [call["name"] for call in reply.tool_calls] == called
    assert [one["error"] for one in reply.invalid_tool_calls] == [f"not a call: {reason}" for reason in reasons]


def test_a_name_that_could_be_read_is_told():
    (invalid,) = parse_reply('<tool_call>{"name": "submap"}</tool_call>', finished=True).invalid_tool_calls
    assert invalid["name"] == "submap"


def test_tags_in_other_spellings_are_words():
    text = '<TOOL_CALL>{"name": "read_text", "arguments": {}}</TOOL_CALL> < tool_call > ```json {"name": "x"}```'
    reply = parse_reply(text, finished=True)
    assert (reply.content, reply.tool_calls, reply.invalid_tool_calls) == (text, [], [])


def test_a_babbling_model_is_cut():
    reply = parse_reply(SUBMAP * 5000, finished=True)
    assert len(reply.tool_calls) == MOST_READ == 16
    assert [one["error"] for one in reply.invalid_tool_calls] == ["not a call: a reply has more than 16 calls"]


def test_half_a_surrogate_pair_in_the_words_can_be_written():
    reply = parse_reply("sign \ud83d here", finished=True)
    assert json.dumps(reply.content, ensure_ascii=False).encode() == b'"sign ? here"'
