"""An HTTP server that speaks the OpenAI protocol and answers about pictures of invented towns, on this machine alone.

It knows `/v1/models` and `/v1/chat/completions`: explanations of two pictures, verdicts in one word, and whether quoted
words are in one picture. What it answers follows from rules and a seed; there is no model.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.training.towns.language.feature import Language
from geosleuth.training.towns.language.phrases import named_features
from geosleuth.training.towns.teacher.answers import compared, explained, imaginable, same_by_overlap, shuffled
from geosleuth.training.towns.teacher.asked import Asked, UnreadableRequestError, asked
from geosleuth.training.towns.teacher.faults import OF_SERVERS, Faults
from geosleuth.training.towns.teacher.pictures import Known, UnknownPictureError
from geosleuth.training.towns.teacher.protocol import completion, failure, models, streamed_refusal

logger = logging.getLogger(__name__)

MODEL = "towns-rules"
_LEAK: dict[Language, str] = {"en": "As the given label says, ", "zh": "根据给定的标签，"}
# Share of what it imagines that it imagines whenever it sees the pair, as models do: what self-consistency cannot find.
_USUAL = 0.5
_CUT = 0.6  # of an answer that breaks off
_LARGEST = 64 * 2**20  # bytes of a request: two pictures of some 20 megapixels


class TeacherServer(ThreadingHTTPServer):
    """A running teacher; `with TeacherServer(known) as teacher: teacher.url` serves in a thread of its own."""

    daemon_threads = True  # one that stalls does not keep the process

    def __init__(self, known: Known, faults: Faults | None = None, port: int = 0) -> None:
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            found = f"{port}: {(error.strerror if isinstance(error, OSError) else None) or error}"
            raise InputError("a port of this machine that is free", found, "Name another, or 0 for any.") from error
        self.known, self.faults = known, faults or Faults()
        self.requests: Counter[str] = Counter()  # by what became of them: "answered", "too_many", ...
        self._attempts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens, up to the version."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def __enter__(self) -> TeacherServer:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.shutdown()
        self.server_close()

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Return status, JSON and headers for a request's body."""
        if body.get("stream"):
            return self._counted("refused", *streamed_refusal())
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        with self._lock:
            attempt = self._attempts[digest]
            self._attempts[digest] += 1
        for fault in OF_SERVERS:
            if self.faults.happens(fault, digest, attempt):
                self._count(fault)
                if fault == "too_many":
                    after = {"Retry-After": str(self.faults.retry_after_s)}
                    return 429, failure("Too many requests.", "rate_limit_exceeded"), after
                if fault == "broken":
                    return 500, failure("The server broke.", "server_error"), {}
                self._stop.wait(self.faults.stall_s)
                break
        try:
            request = asked(body.get("messages"))
            return self._counted("answered", 200, self._completed(request, body, digest, attempt), {})
        except UnreadableRequestError as error:
            return self._counted("refused", 400, failure(str(error), "invalid_request_error"), {})
        except UnknownPictureError as error:
            said = f"{error}: this teacher knows {len(self.known):,} pictures of invented towns, and no others"
            return self._counted("unknown", 400, failure(said, "invalid_request_error"), {})

    def _completed(self, request: Asked, body: dict[str, Any], digest: str, attempt: int) -> dict[str, Any]:
        views = [self.known.features(self.known.recognise(one)) for one in request.pictures]
        if request.task != "explain":
            if request.task == "look":
                named = named_features(request.words, "en") | named_features(request.words, "zh")
                yes = bool(named) and named <= views[0][0]
            else:
                yes = same_by_overlap(compared(*views))
            return completion(body, "Yes" if yes else "No", likely=bool(body.get("logprobs")))
        warm = float(body.get("temperature") or 0.0) > 0.0
        text, finish = self._explanation(request, views, digest, attempt, warm=warm)
        return completion(body, text, finish=finish)

    def _explanation(
        self,
        request: Asked,
        views: list[tuple[frozenset[str], frozenset[str]]],
        digest: str,
        attempt: int,
        *,
        warm: bool,
    ) -> tuple[str, str]:
        def happens(fault: Any) -> bool:
            return self.faults.happens(fault, digest, attempt)

        lang: Language = "zh" if request.chinese != happens("wrong_language") else "en"
        pair = compared(*views)
        same = same_by_overlap(pair) if request.label is None else request.label
        if warm:
            pair = shuffled(pair, lambda one: self.faults.draw(one, digest, attempt))
        imagined = None
        choices = imaginable([one[0] for one in views], [one[1] for one in views])
        if choices and happens("hallucinate"):
            usual = self.faults.draw("usual", digest, attempt) < _USUAL
            which = self.faults.draw("which", pair.key if usual else digest, 0 if usual else attempt)
            imagined = choices[int(which * len(choices))]
        said = explained(pair, same, lang, imagined)
        if happens("leak"):
            said.conclusion = _LEAK[lang] + said.conclusion[:1].lower() + said.conclusion[1:]
        text = json.dumps(said.as_json(), ensure_ascii=False)
        if happens("truncate"):
            return text[: int(_CUT * len(text))], "length"
        return (text[: int(_CUT * len(text))] if happens("half_json") else text), "stop"

    def _counted(
        self, what: str, status: int, said: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        self._count(what)
        return status, said, headers

    def _count(self, what: str) -> None:
        with self._lock:
            self.requests[what] += 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TeacherServer

    def do_GET(self) -> None:
        if self.path.rstrip("/") == "/v1/models":
            self._send(200, models(MODEL, round(time.time())), {})
        else:
            self._send(404, failure(f"no {self.path}", "not_found"), {})

    def do_POST(self) -> None:
        stated = self.headers.get("Content-Length") or "0"
        length = int(stated) if stated.isdecimal() and len(stated) < 16 else 0
        if not 0 < length <= _LARGEST:
            self.close_connection = True  # the body is not read, so the connection cannot be used again
            self._send(413, failure(f"a body of 1 to {_LARGEST} bytes is wanted", "invalid_request_error"), {})
            return
        content = self.rfile.read(length)
        if self.path.rstrip("/") != "/v1/chat/completions":
            self._send(404, failure(f"no {self.path}", "not_found"), {})
            return
        try:
            body = json.loads(content)
            answer = self.server.answer(body) if isinstance(body, dict) else None
        except (ValueError, RecursionError):  # the latter of what is nested too deeply
            answer = None
        refused = 400, failure("the body is no JSON object of a request", "invalid_request_error"), dict[str, str]()
        self._send(*(answer or refused))

    def _send(self, status: int, said: dict[str, Any], headers: dict[str, str]) -> None:
        content = json.dumps(said, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):  # who waited for a stalled answer has gone
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        logger.debug(format, *args)
