"""A teacher behind a real HTTP server: what it is sent, what is made of its answers, and what an interruption costs."""

import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm import endpoint_server
from geosleuth.tools.vlm.endpoint import _opened
from geosleuth.tools.vlm.load import VlmOptions
from geosleuth.training.gleam_x import limits as limits_module
from geosleuth.training.gleam_x.ledger import Ledger
from geosleuth.training.gleam_x.record import Reasons
from geosleuth.training.gleam_x.record_file import read_records, write_records
from geosleuth.training.gleam_x.teacher import explain_pairs
from geosleuth.training.gleam_x.teacher_prompt import TOLD

SAME, OTHER = TOLD["en"]["match"], TOLD["en"]["no_match"]


def always(answer):
    return lambda *_: answer


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(endpoint_server, "FIRST_WAIT_S", 0.01)
    _opened.cache_clear()  # what another test has learned about a server is not to count


@pytest.fixture
def ask(server, root, tmp_path):
    """Explain pairs by a server that answers as told; returns the report and the server."""

    def explain(records, answer, *, out=tmp_path / "out", timeout_s=20.0, **options):
        with server.scripted_server(answer) as running:
            spec = f"openai:teacher@{running.url}"
            report = explain_pairs(records, root, spec, out, options=VlmOptions(timeout_s=timeout_s), **options)
        return report, running

    return explain


@pytest.fixture
def truthful(server, good):
    """Answer as a teacher should that was told the label, in the language that was asked for."""

    def answer(body, number):
        text = server.asked_text(body)
        lang = "zh" if "用中文书写" in text else "en"
        return server.said(good("match" if TOLD[lang]["match"] in text else "no_match", lang))

    return answer


def test_the_teacher_is_shown_both_pictures_and_told_the_label(ask, truthful, server, made, tmp_path):
    records = [made(1), made(1, lang="zh"), made(2, "no_match"), made(2, "no_match", "zh")]
    report, running = ask(records, truthful)
    assert (report.explained, report.rejected, report.left, report.stopped) == (4, 0, 0, None)
    assert (report.requests, report.requests_in_all, report.tokens_in_all) == (4, 4, 4 * 760)
    for body in running.received:
        blocks = body["messages"][-1]["content"]
        urls = [one["image_url"]["url"] for one in blocks if one["type"] == "image_url"]
        assert len(urls) == len(set(urls)) == 2
        assert all(url.startswith("data:image/jpeg;base64,") for url in urls)
        assert body["response_format"]["json_schema"]["name"] == "Told"
    told = [
        next(one for texts in TOLD.values() for one in texts.values() if one in server.asked_text(body))
        for body in running.received
    ]
    assert Counter(told) == Counter([SAME, OTHER, TOLD["zh"]["match"], TOLD["zh"]["no_match"]])

    explained = read_records(tmp_path / "out/explained.jsonl")
    assert [(one.pair_id, one.lang) for one in explained] == [(one.pair_id, one.lang) for one in records]
    assert explained[1].explanation.agreeing == ("左侧的红色屋顶", "道路的弯道")
    assert explained[0].teacher == f"openai:teacher@{running.url}"
    assert explained[0].teacher_label is None
    assert json.loads((tmp_path / "out/report.json").read_text())["explained"] == 4


def test_everything_is_in_the_ledger(ask, truthful, made, tmp_path, root):
    ask([made(1)], truthful)
    lines = [json.loads(line) for line in (tmp_path / "out/ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [one["kind"] for one in lines] == ["request", "sent", "answer"]
    request, sent, answer = lines
    assert len({one["hash"] for one in lines}) == 1
    assert (request["model"], request["sample"], request["temperature"]) == ("teacher", 0, 0.0)
    shown = [part for turn in request["turns"] for part in turn if isinstance(part, dict)]
    files = [root / "ground/1.png", root / "tiles/1.png"]
    assert shown == [{"picture": hashlib.sha256(one.read_bytes()).hexdigest()} for one in files]
    assert SAME in request["turns"][1][-1]
    assert (answer["finish"], answer["prompt_tokens"], answer["tokens"]) == ("stop", 700, 60)
    assert json.loads(answer["text"])["disagreeing"] == ["parked cars"]
    assert answer["at"] >= sent["at"] >= request["at"]


def test_what_was_answered_is_never_asked_again(ask, truthful, made):
    first, _ = ask([made(1), made(2)], truthful)
    again, running = ask([made(1), made(2), made(3)], truthful)  # at another port: the same model
    assert (first.requests, again.requests, again.requests_in_all) == (2, 1, 3)
    assert len(running.received) == 1
    assert again.explained == 3


def test_a_pair_that_is_explained_already_is_kept(ask, truthful, made, tmp_path):
    mine = Reasons(agreeing=("a well",), conclusion="I have been there.")
    report, running = ask([made(1, explanation=mine, human_revised=True), made(2)], truthful)
    assert (report.explained, len(running.received)) == (2, 1)
    assert read_records(tmp_path / "out/explained.jsonl")[0].explanation == mine


def test_what_fails_a_check_is_asked_for_once_more_with_the_reason(ask, server, made, good):
    def answer(body, number):
        text = server.asked_text(body)
        if "cannot be used" in text:
            assert "it mentions what was told" in text
            assert "ground truth" in body["messages"][-2]["content"]
            return server.said(good("match"))
        return server.said(good("match", conclusion="By the ground truth it is the same place."))

    report, running = ask([made(1)], answer)
    assert (report.explained, report.asked_again, report.rejected) == (1, 1, 0)
    assert len(running.received) == 2


def test_what_fails_twice_is_set_aside_with_the_reasons(ask, server, made, good, tmp_path):
    bad = {
        "pair-1": server.said(good("match", conclusion="As the label says, the places are alike.")),
        "pair-2": server.said(good("match", "zh")),
        "pair-3": server.said(good("match", agreeing=[])),
        "pair-4": server.said("The roofs are alike, so I would say yes."),
        "pair-5": server.said(good("match")[:70], finish="length"),
        "pair-6": server.said(good("match", conclusion="ok")),
        "pair-7": server.said(good("match", conclusion="same " * 41)),
        "pair-8": server.said('{"agreeing": ["a roof"], "disagreeing": [], '),
    }
    report, running = [], []
    for name, answer in bad.items():
        found, used = ask([made(int(name[-1]))], always(answer), out=tmp_path / name)
        report.append(found.checks)
        running.append(len(used.received))
        assert (found.explained, found.rejected, found.asked_again) == (0, 1, 1)
        (line,) = (tmp_path / name / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
        assert json.loads(line)["record"]["pair_id"] == name
        assert json.loads(line)["answer"] == answer[2]["choices"][0]["message"]["content"]
        assert read_records(tmp_path / name / "explained.jsonl").records == ()
    assert running == [2] * 8
    one = [{"leak"}, {"language"}, {"contradiction"}, {"json"}, {"cut_off"}, {"too_short"}, {"too_long"}, {"json"}]
    assert list(map(set, report)) == one
    again, used = ask([made(1)], always(server.said("{}")), out=tmp_path / "pair-1")
    assert (again.rejected, len(used.received)) == (1, 0)  # nor is it paid for again


def test_a_busy_a_failing_and_a_slow_server_are_lived_with(ask, server, truthful, made):
    times = []

    def answer(body, number):
        times.append(time.monotonic())
        if number == 0:
            return server.fails(429, "slow down", retry_after="0.2")
        if number == 1:
            return server.fails(500, "a worker died")
        if number == 2:
            time.sleep(0.6)  # longer than it may take
        return truthful(body, number)

    report, _ = ask([made(1), made(2)], answer, timeout_s=0.4, concurrency=1)
    assert times[1] - times[0] >= 0.2  # as long as it asked for
    assert (report.explained, report.failed, report.left, report.requests) == (1, 1, 0, 4)
    assert report.stopped is None
    assert "within 0.4 s" in report.failures[0]
    again, _ = ask([made(1), made(2)], truthful)
    assert (again.explained, again.requests, again.requests_in_all) == (2, 1, 5)


def test_an_answer_that_is_no_protocol_is_a_failure(ask, server, made, tmp_path):
    report, _ = ask([made(1)], always((200, {}, b'{"choices": [{"mess')))
    assert (report.failed, report.explained, report.complete) == (1, 0, False)
    assert "JSON that does not parse" in report.failures[0]
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "out/ledger.jsonl").read_text().splitlines()]
    assert kinds == ["request", "sent", "failure"]


def test_a_server_that_fails_on_is_given_up(ask, server, truthful, made):
    records = [made(number) for number in range(12)]
    refused, running = ask(records, always(server.fails(401, "no such key")), concurrency=1)
    assert (len(running.received), refused.left, refused.failed, refused.within_budget) == (1, 11, 1, False)
    assert "GEOSLEUTH_ENDPOINT_KEY" in refused.stopped
    failing, running = ask(records, always(server.fails(400, "content policy")), concurrency=1)
    assert (len(running.received), failing.left) == (5, 7)
    assert failing.stopped.startswith("5 questions in a row had no answer; the last: Wanted an answer from http://")
    assert ask(records, truthful)[0].explained == 12


def test_the_budget_ends_a_run_and_a_larger_one_goes_on(ask, truthful, made, tmp_path):
    records = [made(number) for number in range(6)]
    first, running = ask(records, truthful, budget_requests=2)
    assert (first.explained, first.left, len(running.received), first.within_budget) == (2, 4, 2, True)
    assert first.stopped == "the budget of 2 requests is spent; raise it, and the same command goes on"
    assert len(read_records(tmp_path / "out/explained.jsonl")) == 2
    assert ask(records, truthful, budget_requests=2)[0].requests == 0  # of all runs
    tokens, _ = ask(records, truthful, budget_tokens=3 * 760, concurrency=1)
    assert (tokens.requests, tokens.explained) == (1, 3)
    assert "the budget of 2,280 tokens is spent (2,280 used)" in tokens.stopped
    assert ask(records, truthful, budget_requests=6)[0].explained == 6


def test_repetitions_count_against_the_budget(ask, server, made):
    report, running = ask([made(1)], always(server.fails(500)), budget_requests=3)
    assert (len(running.received), report.requests, report.left) == (3, 3, 1)


def test_requests_keep_the_pace(ask, truthful, made, tmp_path):
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        limits = limits_module.Limits(ledger, per_minute=600.0)
        began = time.monotonic()
        for _ in range(4):
            limits.draw("a")
        assert time.monotonic() - began >= 0.3  # three gaps of 0.1 s
    began = time.monotonic()
    report, _ = ask([made(number) for number in range(3)], truthful, requests_per_minute=240.0, concurrency=3)
    assert report.explained == 3
    assert time.monotonic() - began >= 0.5


def test_a_teacher_that_is_not_told_judges_by_itself(ask, server, made, good, tmp_path):
    def answer(body, number):
        assert not any(one in server.asked_text(body) for one in (SAME, OTHER))
        return server.said(good("no_match", same_place=False))

    report, running = ask([made(1), made(2, "no_match")], answer, with_label=False)
    assert (report.explained, report.disagreeing) == (2, 1)
    found = read_records(tmp_path / "out/explained.jsonl")
    assert [(one.label, one.teacher_label) for one in found] == [("match", "no_match"), ("no_match", "no_match")]
    schema = running.received[0]["response_format"]["json_schema"]["schema"]
    assert next(iter(schema["properties"])) == "same_place"


def test_of_several_samples_what_most_name_is_kept(ask, server, made, good, tmp_path):
    named = {0: ["the red roof", "a well"], 1: ["red roofs", "a bend of the road"], 2: ["a road bend", "a red roof"]}

    def answer(body, number):
        assert body["temperature"] == 0.7
        return server.said(good("match", agreeing=named[body["seed"]], disagreeing=[]))

    report, running = ask([made(1)], answer, samples=3)
    assert (report.explained, len(running.received)) == (1, 3)
    (found,) = read_records(tmp_path / "out/explained.jsonl")
    assert found.explanation.agreeing == ("the red roof", "a bend of the road")
    alone = {0: ["a well"], 1: ["a tower"], 2: ["a hedge"]}
    report, _ = ask(
        [made(2)],
        lambda body, _: server.said(good("match", agreeing=alone[body["seed"]], disagreeing=[])),
        samples=3,
    )
    assert report.checks == {"contradiction": 1}


def test_what_is_in_neither_picture_is_asked_about_again(ask, truthful, made):
    seen = []

    def imagined(record, reasons):
        seen.append(record.pair_id)
        return [one for one in reasons.agreeing if "roof" in one] if record.pair_id == "pair-1" else []

    report, running = ask([made(1), made(2)], truthful, second_look=imagined)
    assert (report.explained, report.checks) == (1, {"imagined": 1})
    assert sorted(seen) == ["pair-1", "pair-1", "pair-2"]
    assert len(running.received) == 3


def test_a_model_looks_for_each_thing_once(server, root, tmp_path, made, good):
    asked = []

    def answer(body, number):
        if body["model"] == "teacher":
            return server.said(good("match"))
        text = server.asked_text(body)
        asked.append((text.partition('"')[2].partition('"')[0], body["messages"][0]["content"][0]["image_url"]["url"]))
        yes, no = (0.7, 0.1) if "roof" in text else (0.1, 0.7)
        shares = {"Yes": yes, "yes": 0.1, "No": no, "no": 0.1}
        top = [{"token": token, "logprob": math.log(share)} for token, share in shares.items()]
        status, headers, body = server.said(max(shares, key=shares.get))
        body["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
        return status, headers, body

    with server.scripted_server(answer) as running:
        spec = f"@{running.url}"

        def explain():
            return explain_pairs(
                [made(1)], root, f"openai:teacher{spec}", tmp_path / "out", second_look=f"openai:looker{spec}"
            )

        report = explain()
        # The bend and the cars are found in neither picture, nor are they in the second answer, which is the same.
        assert (report.explained, report.checks, report.asked_again) == (0, {"imagined": 1}, 1)
        assert len(asked) == len(set(asked)) == 6  # three things in two pictures
        assert report.requests == 2 + 6
        line = json.loads((tmp_path / "out/rejected.jsonl").read_text())
        bend, cars = "a bend of the road", "parked cars"
        assert [one["detail"] for one in line["failed"]] == [
            f'"{thing}" is in neither picture' for thing in (bend, cars)
        ]
        assert (explain().requests, len(asked)) == (0, 6)  # what was seen is kept, too


@pytest.fixture
def looker(server, good):
    """A teacher, and a model beside it that finds all that is named, with probabilities or without."""

    def answering(*, logprobs, before=lambda _: None):
        def answer(body, number):
            before(number)
            if body["model"] == "teacher":
                return server.said(good("match"))
            status, headers, said = server.said("Yes")
            if logprobs:
                top = [{"token": one, "logprob": math.log(share)} for one, share in (("Yes", 0.8), ("No", 0.1))]
                said["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
            return status, headers, said

        return server.scripted_server(answer)

    return answering


# One answer and six looks; or one to learn that there are no probabilities, and sixteen replies a look.
@pytest.mark.parametrize(("logprobs", "unbroken", "more"), [(True, 1 + 6, 2), (False, 1 + 1 + 6 * 16, 30)])
def test_a_second_look_that_a_budget_ends_is_gone_on_with(looker, root, tmp_path, made, logprobs, unbroken, more):
    with looker(logprobs=logprobs) as running:
        report = None
        for budget in range(more, unbroken + more, more):
            _opened.cache_clear()  # as another process: what was learned about the server is forgotten
            report = explain_pairs(
                [made(1)],
                root,
                f"openai:teacher@{running.url}",
                tmp_path / "out",
                second_look=f"openai:looker@{running.url}",
                budget_requests=budget,
            )
            assert report.requests_in_all == min(budget, unbroken)
    assert (report.explained, report.stopped) == (1, None)
    assert len(running.received) == len(set(map(json.dumps, running.received))) == unbroken
    assert report.tokens_in_all == 760 * unbroken  # those of looks, too
    lines = [json.loads(line) for line in (tmp_path / "out/ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    by_kind = {kind: [one["hash"] for one in lines if one["kind"] == kind] for kind in ("request", "sent", "answer")}
    assert len(set(by_kind["request"])) == unbroken
    assert set(by_kind["request"]) == set(by_kind["sent"]) == set(by_kind["answer"])
    assert {one["model"] for one in lines if one["kind"] == "request"} == {"teacher", "looker"}


def test_a_look_that_fails_is_in_the_ledger_under_its_own_hash(server, root, tmp_path, made, good):
    def answer(body, number):
        return server.said(good("match")) if body["model"] == "teacher" else server.fails(400, "content policy")

    with server.scripted_server(answer) as running:
        spec = [f"openai:{name}@{running.url}" for name in ("teacher", "looker")]
        report = explain_pairs([made(1)], root, spec[0], tmp_path / "out", second_look=spec[1])
    assert (report.failed, report.explained) == (1, 0)
    lines = [json.loads(line) for line in (tmp_path / "out/ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [one["kind"] for one in lines] == ["request", "sent", "answer", "request", "sent", "failure"]
    assert len({one["hash"] for one in lines[3:]}) == 1
    assert "Words from a comparison" in lines[3]["turns"][0][2]


def test_looks_count_against_the_budget_of_tokens(looker, root, tmp_path, made):
    with looker(logprobs=False) as running:
        spec = [f"openai:{name}@{running.url}" for name in ("teacher", "looker")]
        report = explain_pairs([made(1)], root, spec[0], tmp_path / "o", second_look=spec[1], budget_tokens=20 * 760)
    assert report.left == 1
    assert "the budget of 15,200 tokens is spent" in report.stopped
    assert len(running.received) <= 20 + 8  # what is under way


def test_what_was_explained_stays_when_other_pairs_are(ask, truthful, made, tmp_path):
    ask([made(1), made(2)], truthful)
    report, _ = ask([made(3), made(2, lang="zh")], truthful)
    assert (report.explained, report.total, report.others) == (2, 2, 2)
    names = [(one.pair_id, one.lang) for one in read_records(tmp_path / "out/explained.jsonl")]
    assert names == [("pair-3", "en"), ("pair-2", "zh"), ("pair-1", "en"), ("pair-2", "en")]
    report, _ = ask([made(1, "no_match"), made(2)], truthful)  # another label: the old reasons argue for the wrong one
    found = read_records(tmp_path / "out/explained.jsonl")
    assert [one.label for one in found if one.pair_id == "pair-1"] == ["no_match"]
    assert len(found) == 4


def test_a_full_disk_is_told_in_three_parts(ask, truthful, made, tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(InputError, match=r"Wanted a ledger that can be written; found File too large\. Free some"):
            ask([made(number) for number in range(12)], truthful)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    again, _ = ask([made(number) for number in range(12)], truthful)
    assert again.explained == 12
    assert again.requests < 12


@pytest.mark.parametrize("name", ["settings.json", "rejected.jsonl", "report.json", "explained.jsonl", "ledger.jsonl"])
def test_a_folder_in_the_place_of_a_file_is_told_in_three_parts(ask, truthful, made, tmp_path, name):
    ask([made(1)], truthful)
    (tmp_path / "out" / name).unlink()
    (tmp_path / "out" / name).mkdir()
    with pytest.raises(InputError, match=f"{name}.*Is a directory"):
        ask([made(1)], truthful)


def test_a_refusal_is_an_answer_that_cannot_be_used(ask, server, made, tmp_path):
    status, headers, body = server.said("")
    body["choices"][0]["message"] = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    report, _ = ask([made(number) for number in range(6)], always((status, headers, body)), concurrency=1)
    assert (report.rejected, report.failed, report.stopped) == (6, 0, None)
    assert "I cannot help with that." in (tmp_path / "out/rejected.jsonl").read_text()


def test_a_picture_that_is_missing_costs_nothing(ask, truthful, made):
    report, running = ask([made(1), made(77), made(3, query_path="../out.png")], truthful)
    assert (report.explained, report.unreadable, report.failed, len(running.received)) == (1, 2, 0, 1)
    assert any("77.png" in one for one in report.failures)


def test_progress_is_told_and_the_folder_is_for_one_way_of_asking(ask, truthful, made, tmp_path, root):
    told = []
    ask([made(1), made(2)], truthful, progress=told.append)
    assert [one.done for one in told] == [1, 2]
    assert (told[-1].total, told[-1].requests) == (2, 2)
    with pytest.raises(InputError, match="found another samples, teacher"):
        explain_pairs([made(1)], root, "openai:other@http://localhost:1/v1", tmp_path / "out", samples=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").touch()
    with pytest.raises(InputError, match=r"Wanted a new folder for explanations.*with thesis\.txt"):
        explain_pairs([made(1)], root, "openai:m@http://localhost:1/v1", tmp_path / "mine")
    with pytest.raises(InputError, match="Wanted 1 to 8 questions at once"):
        explain_pairs([made(1)], root, "openai:m@http://localhost:1/v1", tmp_path / "new", concurrency=9)
    with pytest.raises(InputError, match="Wanted requests above 0; found 0"):
        explain_pairs([made(1)], root, "openai:m@http://localhost:1/v1", tmp_path / "new", budget_requests=0)


RUN = """
import sys
from pathlib import Path
from geosleuth.training.gleam_x.record_file import read_records
from geosleuth.training.gleam_x.teacher import explain_pairs
pairs, root, url, out, *looker = sys.argv[1:]
teacher, look = f"openai:teacher@{url}", f"openai:looker@{url}" if looker else None
explain_pairs(read_records(Path(pairs)), Path(root), teacher, Path(out), concurrency=2, second_look=look)
"""


def test_a_kill_inside_a_look_costs_no_more_than_what_was_under_way(looker, root, tmp_path, made):
    write_records(tmp_path / "pairs.jsonl", [made(1)])
    reached = threading.Event()

    def slowly(number):
        time.sleep(0.02)
        if number == 40:
            reached.set()

    with looker(logprobs=False, before=slowly) as running:
        out = tmp_path / "out"
        arguments = [tmp_path / "pairs.jsonl", root, running.url, out, "looker"]
        process = subprocess.Popen([sys.executable, "-c", RUN, *map(str, arguments)])
        assert reached.wait(300)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with Ledger(out / "ledger.jsonl") as ledger:
            kept = len(ledger.answers)
        assert 20 < kept < 98
        spec = [f"openai:{name}@{running.url}" for name in ("teacher", "looker")]
        report = explain_pairs([made(1)], root, spec[0], out, second_look=spec[1])
    assert (report.explained, report.requests) == (1, 98 - kept)
    assert len(running.received) <= 98 + 8  # eight at once


def test_a_kill_costs_no_more_than_what_was_under_way(server, root, tmp_path, made, truthful):
    records = [made(number, lang=lang) for number in range(12) for lang in ("en", "zh")]
    write_records(tmp_path / "pairs.jsonl", records)
    reached = threading.Event()

    def slowly(body, number):
        time.sleep(0.03)
        if number == 9:
            reached.set()
        return truthful(body, number)

    with server.scripted_server(slowly) as running:
        out = tmp_path / "out"
        arguments = [tmp_path / "pairs.jsonl", root, running.url, out]
        process = subprocess.Popen([sys.executable, "-c", RUN, *map(str, arguments)])
        assert reached.wait(300)  # it takes 3 s on a core of its own; a busy machine takes longer to import
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.1)  # what was under way is answered to nobody
        before = len(running.answered)
        with Ledger(out / "ledger.jsonl") as ledger:
            kept = len(ledger.answers)
        assert before - kept <= 2  # two at once
        assert 0 < kept < len(records)
        assert not (out / "explained.jsonl").exists()
        report = explain_pairs(records, root, f"openai:teacher@{running.url}", out, concurrency=2)
        assert (report.explained, report.requests) == (24, 24 - kept)
        assert len(set(running.answered)) == 24  # each question was answered,
        assert len(running.answered) == before + 24 - kept <= 24 + 2  # and at most two twice
    assert len(read_records(out / "explained.jsonl")) == 24


def test_the_limits_wake_who_waits(tmp_path):
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        limits = limits_module.Limits(ledger, per_minute=0.5)
        limits.draw("a")
        threading.Timer(0.05, limits.stop, ("enough",)).start()
        began = time.monotonic()
        with pytest.raises(limits_module.StoppedError, match="enough"):
            limits.draw("b")
        assert time.monotonic() - began < 5.0  # not two minutes
        assert (limits.sent, ledger.sent) == (1, 1)
