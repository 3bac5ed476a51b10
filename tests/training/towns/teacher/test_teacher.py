"""The rule-based teacher over HTTP, as a client meets it. Its pictures are of invented towns."""

import base64
import csv
import io
import json
import socket
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.tools.comparison_prompts import NO, YES, yes_log_odds
from geosleuth.tools.gleam_x import WHY, pair_prompt
from geosleuth.tools.vlm.data_urls import DataUrls
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.training.gleam_x.checks import failed_checks
from geosleuth.training.gleam_x.record import PairRecord
from geosleuth.training.gleam_x.second_look import look_prompt
from geosleuth.training.gleam_x.teacher_prompt import Judged, again, open_pictures, reasons_of, teacher_prompt
from geosleuth.training.towns.language.of_view import features_of
from geosleuth.training.towns.language.phrases import named_features, phrase
from geosleuth.training.towns.language.truth import Named, SceneTruth
from geosleuth.training.towns.teacher.asked import UnreadableRequestError, asked
from geosleuth.training.towns.teacher.faults import FAULTS, Faults
from geosleuth.training.towns.teacher.pictures import Known
from geosleuth.training.towns.teacher.server import MODEL, TeacherServer


@pytest.fixture(scope="session")
def known(towns_for_words):
    return Known(towns_for_words)


@pytest.fixture(scope="session")
def teacher(known):
    with TeacherServer(known) as server:
        yield server


@pytest.fixture(scope="session")
def pairs(towns_for_words):
    """Panorama and tile of each place."""
    with (towns_for_words / "cvusa" / "places.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    tiles = {row["place_id"]: row["file"] for row in rows if row["view"] == "satellite"}
    return [(row["file"], tiles[row["place_id"]]) for row in rows if row["view"] == "panorama"]


@pytest.fixture
def record(pairs):
    def made(label="match", lang="en", which=0, tile=None):
        return PairRecord(
            pair_id="1", query_path=pairs[which][0], query_view="panorama", query_modality="panorama",
            satellite_path=pairs[which if tile is None else tile][1], label=label, lang=lang, source_dataset="cvusa",
        )  # fmt: skip

    return made


def body_of(prompt, **options):
    """A prompt as a client sends it."""
    urls = DataUrls(10**6)
    messages = [
        {"role": turn.role, "content": [{"type": "text", "text": p} if isinstance(p, str) else urls.block(p)
                                        for p in turn.parts]}
        for turn in prompt.turns
    ]  # fmt: skip
    return {"model": MODEL, "messages": messages, **options}


CLIENT = httpx.Client(trust_env=False, verify=False, timeout=20.0)  # noqa: S501 - plain HTTP: no certificates to load


def ask(server, body):
    return CLIENT.post(f"{server.url}/chat/completions", json=body)


def said(response):
    assert response.status_code == 200, response.text
    choice = response.json()["choices"][0]
    return choice["message"]["content"], choice["finish_reason"]


def prompt_of(record, root, **options):
    return teacher_prompt(record, open_pictures(record, root), **options)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("label", ["match", "no_match"])
def test_a_told_explanation_keeps_the_label_and_names_what_the_pictures_show(
    teacher, record, pairs, towns_for_words, label, lang
):
    root = towns_for_words / "cvusa"
    for which in range(6):
        one = record(label, lang, which, None if label == "match" else (which + 7) % len(pairs))
        text, finish = said(ask(teacher, body_of(prompt_of(one, root))))
        answer = Judged.model_validate_json(text)
        assert finish == "stop"
        assert answer.verdict == label
        assert failed_checks(reasons_of(answer), label, lang) == []
        both = [features_of(root / file) for file in (one.query_path, one.satellite_path)]
        for line in answer.agreeing:
            assert named_features(line, lang) <= both[0] & both[1]
        for line in answer.disagreeing:
            assert named_features(line, lang) <= both[0] ^ both[1]
        assert named_features(answer.conclusion, lang) <= both[0] | both[1]


def test_without_the_label_it_judges_by_overlap_and_is_sometimes_wrong(teacher, record, pairs, towns_for_words):
    root, verdicts = towns_for_words / "cvusa", []
    for which in range(len(pairs)):
        for tile in (which, (which + 5) % len(pairs)):
            one = record("match" if tile == which else "no_match", "en", which, tile)
            answer = Judged.model_validate_json(said(ask(teacher, body_of(prompt_of(one, root, with_label=False))))[0])
            verdicts.append((one.label, answer.verdict))
            assert failed_checks(reasons_of(answer), answer.verdict, "en") == []  # a wrong verdict is explained too
    right = np.mean([label == verdict for label, verdict in verdicts])
    assert 0.5 < right < 1.0


def test_what_a_client_asks_again_and_what_the_verifier_asks_are_understood(teacher, record, towns_for_words):
    root = towns_for_words / "cvusa"
    one = record("no_match", "zh", 0, 6)
    first = prompt_of(one, root)
    repeated = Judged.model_validate_json(said(ask(teacher, body_of(again(first, "{", ["it was cut off"], "zh"))))[0])
    assert repeated.verdict == "no_match"
    assert any("一" <= char <= "鿿" for char in repeated.conclusion)
    messages = body_of(first)["messages"]
    messages[-1]["content"][-1] = {"type": "text", "text": "Does it show the same place? Answer Yes or No."}
    messages += [{"role": "assistant", "content": "Yes"}, {"role": "user", "content": WHY["en"]}]
    assert asked(messages).label is True
    assert not asked(messages).chinese


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("They are the same place.", True),
        ("These pictures show different places.", False),
        ("The label is match.", True),
        ("The label is no_match.", False),
        ("Does the candidate show the same place?", None),
        ("Say whether it is the same place.", None),
        ("两张图是同一个地方。", True),
        ("两张图不是同一个地方。", False),
        ("是同一个地方吗？", None),
    ],
)
def test_the_label_is_read_from_statements_alone(words, label):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [picture, picture, {"type": "text", "text": f"{words} Explain in JSON."}]
    assert asked([{"role": "user", "content": content}]).label is label


def test_our_own_client_looks_for_words_in_one_picture_and_judges_two(teacher, record, towns_for_words):
    pytest.importorskip("langchain_openai")
    root = towns_for_words / "cvusa"
    model = load_vlm(f"openai:{MODEL}@{teacher.url}").for_photo()
    one = record()
    pictures = open_pictures(one, root)
    shown = features_of(root / one.query_path)
    there, absent = sorted(shown)[0], sorted({"fountain", "bridge", "tower", "script_thai"} - shown)[0]
    prompts = [look_prompt(phrase(feature), pictures.photo) for feature in (there, absent)]
    prompts.append(pair_prompt(pictures.photo, pictures.candidate, view="satellite", photo_view="panorama"))
    odds = yes_log_odds(model.score(prompts, YES + NO))
    assert odds[0] > 2.9 > -2.9 > odds[1]  # ln(.95 / .05) is 2.94
    assert abs(odds[2]) > 2.9
    reply = model.generate([prompt_of(one, root)], max_tokens=300)[0][0]
    assert reply.finished
    assert Judged.model_validate_json(reply.text).same_place


def test_samples_at_a_temperature_differ_and_the_seed_repeats_them(teacher, record, towns_for_words):
    pictures = prompt_of(record(), towns_for_words / "cvusa")
    texts = [said(ask(teacher, body_of(pictures, temperature=0.7, seed=seed)))[0] for seed in range(6)]
    assert len(set(texts)) > 1
    greedy = {said(ask(teacher, body_of(pictures, temperature=0.0, seed=seed)))[0] for seed in range(3)}
    assert len(greedy) == 1


def test_the_scene_s_own_list_finds_what_is_imagined(known, record, towns_for_words):
    root = towns_for_words / "cvusa"
    truth, counts = SceneTruth(root), {}
    for rate in (0.0, 1.0):
        counts[rate] = Named()
        with faulty(known, hallucinate=rate) as server:
            for lang in ("en", "zh"):
                one = record("match", lang)
                reasons = reasons_of(Judged.model_validate_json(said(ask(server, body_of(prompt_of(one, root))))[0]))
                assert len(truth.imagined(one, reasons)) == rate
                counts[rate] += truth.named(one, reasons)
    assert (counts[0.0].imagined, counts[0.0].precision) == (0, 1.0)
    assert counts[1.0].imagined == 2
    assert 0.0 < counts[0.0].recall <= 1.0
    assert (Named().precision, Named().recall) == (None, None)


def test_models_usage_and_the_limit_of_tokens_are_of_the_protocol(teacher, record, towns_for_words):
    listed = CLIENT.get(f"{teacher.url}/models").json()
    assert [one["id"] for one in listed["data"]] == [MODEL]
    body = body_of(prompt_of(record(), towns_for_words / "cvusa"), max_tokens=10)
    answer = ask(teacher, body).json()
    assert answer["choices"][0]["finish_reason"] == "length"
    usage = answer["usage"]
    assert usage["completion_tokens"] == 10
    assert usage["total_tokens"] == usage["prompt_tokens"] + 10
    assert usage["prompt_tokens"] > 2 * 256


def test_pictures_are_known_by_their_bytes_their_pixels_and_after_jpeg(known, pairs, towns_for_words):
    content = (towns_for_words / "cvusa" / pairs[0][0]).read_bytes()
    number = known.recognise(content)
    pixels = Image.open(io.BytesIO(content)).convert("RGB")
    for form, options in (("PNG", {}), ("JPEG", {"quality": 80})):
        again_ = io.BytesIO()
        pixels.save(again_, form, **options)
        assert known.recognise(again_.getvalue()) == number
    others = {known.recognise((towns_for_words / "cvusa" / file).read_bytes()) for file, _ in pairs[1:]}
    assert len(others) == len(pairs) - 1
    assert number not in others


def test_a_picture_of_elsewhere_gets_an_error(teacher, record, towns_for_words):
    body = body_of(prompt_of(record(), towns_for_words / "cvusa"))
    noise = np.random.default_rng(0).integers(0, 255, (32, 128, 3), np.uint8)
    for content in (DataUrls(10**6).block(noise), _block(b"no picture")):
        body["messages"][-1]["content"][1] = content
        response = ask(teacher, body)
        assert response.status_code == 400
        assert "invented towns" in response.json()["error"]["message"]


def _block(content):
    return {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(content).decode()}}


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ("hello", "list of objects"),
        ([{"role": "user", "content": "hello"}], "not 0 pictures"),
        ([{"role": "user", "content": [_block(b"a"), {"type": "text", "text": "Describe it."}]}], "needs two"),
        ([{"role": "user", "content": [_block(b"a"), {"type": "text", "text": "Yes or No?"}]}], "quoted"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///a"}}]}], "data URLs"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png;base64,?"}]}], "damaged"),
    ],
)
def test_requests_of_another_kind_are_refused_with_the_reason(teacher, messages, problem):
    with pytest.raises(UnreadableRequestError, match=problem):
        asked(messages)
    response = ask(teacher, {"messages": messages})
    assert response.status_code == 400
    assert problem in response.json()["error"]["message"]


def test_addresses_bodies_and_streams_that_are_not_known_are_refused(teacher):
    assert CLIENT.get(f"{teacher.url}/other").status_code == 404
    assert CLIENT.post(f"{teacher.url}/other", json={}).status_code == 404
    to = f"{teacher.url}/chat/completions"
    assert CLIENT.post(to, content=b"[1]").status_code == 400
    assert CLIENT.post(to, content=b"").status_code == 413
    assert ask(teacher, {"stream": True}).status_code == 400
    assert CLIENT.post(to, content=b"[" * 100_000).status_code == 400
    assert CLIENT.post(to, content=b'{"messages": ' + b"[" * 900 + b"]" * 900 + b"}").status_code == 400
    with socket.create_connection(teacher.server_address) as line:
        line.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 413")


def faulty(known, **rates):
    return TeacherServer(known, Faults(**rates))


def test_what_it_imagines_is_in_neither_picture(known, record, towns_for_words):
    root = towns_for_words / "cvusa"
    for label, tile in (("match", 0), ("no_match", 6)):
        one = record(label, "en", 0, tile)
        with faulty(known, hallucinate=1.0) as server:
            answer = Judged.model_validate_json(said(ask(server, body_of(prompt_of(one, root))))[0])
        named = set().union(*(named_features(line) for line in (*answer.agreeing, *answer.disagreeing)))
        shown = features_of(root / one.query_path) | features_of(root / one.satellite_path)
        assert len(named - shown) == 1


def test_leaks_and_wrong_languages_are_what_the_checks_look_for(known, record, towns_for_words):
    root = towns_for_words / "cvusa"
    for rates, check in (({"leak": 1.0}, "leak"), ({"wrong_language": 1.0}, "language")):
        with faulty(known, **rates) as server:
            for lang in ("en", "zh"):
                body = body_of(prompt_of(record("match", lang), root))
                reasons = reasons_of(Judged.model_validate_json(said(ask(server, body))[0]))
                assert check in {one.check for one in failed_checks(reasons, "match", lang)}


@pytest.mark.parametrize(("fault", "finish"), [("truncate", "length"), ("half_json", "stop")])
def test_an_answer_that_breaks_off_is_no_json(known, record, towns_for_words, fault, finish):
    with faulty(known, **{fault: 1.0}) as server:
        text, how = said(ask(server, body_of(prompt_of(record(), towns_for_words / "cvusa"))))
    assert how == finish
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_errors_of_the_server_come_with_their_headers_and_pass(known, record, towns_for_words):
    body = body_of(prompt_of(record(), towns_for_words / "cvusa"))
    with faulty(known, too_many=1.0, retry_after_s=7) as server:
        response = ask(server, body)
        assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    with faulty(known, broken=0.5, seed=3) as server:
        states = [ask(server, body).status_code for _ in range(12)]
        assert set(states) == {200, 500}
        assert server.requests["answered"] == states.count(200)
    with faulty(known, broken=0.5, seed=3) as server:  # the same in every run
        assert [ask(server, body).status_code for _ in range(12)] == states
    with faulty(known, stall=1.0, stall_s=20.0) as server:
        started = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            CLIENT.post(f"{server.url}/chat/completions", json=body, timeout=0.3)
    assert time.monotonic() - started < 10.0  # closing wakes the one that stalls


def test_rates_are_shares_of_the_requests():
    faults = Faults(leak=0.3, seed=5)
    assert np.mean([faults.happens("leak", str(n), 0) for n in range(2000)]) == pytest.approx(0.3, abs=0.035)
    assert not any(faults.happens(one, str(n), 0) for one in FAULTS if one != "leak" for n in range(50))
    with pytest.raises(InputError, match=r"Wanted broken as a rate from 0 to 1; found 1\.5"):
        Faults(broken=1.5)


def test_the_command_prints_its_address_and_serves(towns_for_words):
    command = [sys.executable, "-m", "geosleuth.training.towns.teacher", str(towns_for_words), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        assert CLIENT.get(f"{url}/models").status_code == 200
    finally:
        process.terminate()
        process.wait(10)


def test_a_folder_without_towns_is_refused(tmp_path, capsys):
    from geosleuth.training.towns.teacher.__main__ import main

    assert main([str(tmp_path)]) == 2
    assert "geosleuth towns" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        ("place\n1\n", [], "Wanted a table of pictures with a column file, "),
        ("file\n../out.png\n", [], "'../out.png'. Write paths relative to the root"),
        ("file\nlink.png\n", [], "a link that leads out. Copy it there."),
        ("file\ngone.png\n", [], "gone.png; found No such file or directory. Name what `geosleuth towns` wrote"),
        ("file\ntext.png\n", [], "text.png; found a file that is no picture. Name what"),
        ("file\ngood.png\n", ["--port", "99999"], "Wanted a port of this machine that is free; found 99999: "),
        ("file\ngood.png\n", ["--port", "busy"], ": Address already in use. Name another, or 0 for any."),
        ("file\ngood.png\n", ["--leak", "2"], "Wanted leak as a rate from 0 to 1; found 2.0. Change the number."),
    ],
)
def test_bad_input_is_said_in_three_parts(tmp_path, capsys, table, options, said):
    from geosleuth.training.towns.teacher.__main__ import main

    root = tmp_path / "towns"
    root.mkdir()
    (root / "places.csv").write_text(table)
    (root / "text.png").write_text("no picture")
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(root / "good.png")
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "out.png")
    (root / "link.png").symlink_to(tmp_path / "out.png")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main([str(root), *(port if one == "busy" else one for one in options)]) == 2
    assert said in capsys.readouterr().err
