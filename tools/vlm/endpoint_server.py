"""One server and what was learned about it: requests with repetitions, and which optional parameters it takes."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from threading import BoundedSemaphore, Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.endpoint_errors import explained, is_lost, may_pass, quoted, refused_parameter, unreadable
from geosleuth.tools.vlm.endpoint_messages import CONTINUED, prompt_messages
from geosleuth.tools.vlm.model import UnavailableError

if TYPE_CHECKING:
    import openai
    from langchain_core.messages import AIMessage, BaseMessage

    from geosleuth.tools.vlm.data_urls import DataUrls
    from geosleuth.tools.vlm.model import Prompt
    from geosleuth.tools.vlm.openai_chat import EndpointChat
    from geosleuth.tools.vlm.requests_budget import RequestsBudget

logger = logging.getLogger(__name__)

Task = TypeVar("Task")
Answer = TypeVar("Answer")

_TRIES = 4  # with the waits below: a server that restarts a worker is back within some seconds
FIRST_WAIT_S = 0.5  # doubled after each try
_LONGEST_WAIT_S = 8.0
AT_ONCE = 8  # requests in flight; a server batches them, and more would only queue up there
_LONGEST_FACT = 80  # characters of what a server says about a model; a path with a hash has that many
_LIST_TIMEOUT_S = 5.0  # which models there are is known at once, or not worth waiting for


@dataclass(frozen=True)
class Request:
    """What is asked of the server."""

    messages: list[BaseMessage]
    settings: Mapping[str, Any]  # parameters that every server takes
    optional: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # name in `OPTIONAL` -> its parameters


class _RefusedError(Exception):
    """The server does not take an optional parameter: ask without it."""


@dataclass
class Server:
    """A server and one of its models, shared by all photos."""

    model: str
    url: str  # ends with the version
    timeout_s: float
    chat: EndpointChat = field(repr=False)
    key: str | None = field(repr=False)
    refused: set[str] = field(default_factory=set)  # optional parameters that it does not take
    gives_logprobs: bool = False  # it has at least once
    slots: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE), repr=False)
    _described: str | None = field(default=None, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def ask(self, build: Callable[[Collection[str]], Request], budget: RequestsBudget) -> AIMessage:
        """Send a request, again and without an optional parameter where the server refuses one.

        Args:
            build: Makes the request; is told which optional parameters are refused, so that it finds another way.
            budget: Each HTTP request is drawn from it.

        Raises:
            UnavailableError: The server is not there, or the budget is spent.
            InputError: There is no other answer.
        """
        while True:  # ends: each round but the last adds one of a few names to `refused`
            request = build(frozenset(self.refused))
            try:
                return self._repeated(request, budget)
            except _RefusedError as error:
                logger.info("%s does not take %s: asked without it from now on", self.url, error)
                self.refused.add(str(error))

    def ask_prompt(
        self,
        prompt: Prompt,
        urls: DataUrls,
        budget: RequestsBudget,
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        optional: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> AIMessage:
        """Ask for the reply to a prompt, from its beginning on; see `ask`."""

        def build(refused: Collection[str]) -> Request:
            wanted = {**(optional or {}), "seed": {"seed": seed}}
            if prompt.begun:
                wanted["continuation"] = CONTINUED
            messages = prompt_messages(prompt, urls, continued="continuation" not in refused)
            taken = {name: given for name, given in wanted.items() if name not in refused}
            return Request(messages, {"max_tokens": max_tokens, "temperature": temperature}, taken)

        return self.ask(build, budget)

    def _repeated(self, request: Request, budget: RequestsBudget) -> AIMessage:
        import openai

        for attempt in range(_TRIES):
            budget.take(self.url)
            try:
                return self._sent(request)
            except openai.APIError as error:
                if isinstance(error, openai.APIStatusError) and (name := refused_parameter(error, request.optional)):
                    raise _RefusedError(name) from error
                if attempt + 1 == _TRIES or not may_pass(error):
                    found = self._explained(error)
                    if isinstance(found, UnavailableError) and is_lost(error):
                        budget.give_up(self.url, found)
                    raise found from None  # theirs holds the request, and so the key
                wait = self._wait_s(error, attempt)
                logger.info("%s: %s; again in %.1f s", self.url, type(error).__name__, wait)
                time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _sent(self, request: Request) -> AIMessage:
        """Send it once. No tracer and no callback of the caller sees it: they might carry the photo elsewhere."""
        from langchain_core.messages import AIMessage
        from langsmith import tracing_context

        from geosleuth.tools.vlm.openai_chat import UnreadableResponseError

        parameters: dict[str, Any] = dict(request.settings)
        extra: dict[str, Any] = dict(parameters.pop("extra_body", {}))
        for given in request.optional.values():
            extra |= given.get("extra_body", {})
            parameters |= {name: value for name, value in given.items() if name != "extra_body"}
        if extra:
            parameters["extra_body"] = extra
        try:
            with self.slots, tracing_context(enabled=False):
                message = self.chat.invoke(request.messages, config={"callbacks": []}, **parameters)
        # The causes are left out: they hold the server's words as they came, perhaps with the key.
        except UnreadableResponseError as error:
            raise self._unreadable(str(error)) from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise self._unreadable(f"JSON that does not parse ({error})") from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # the client trusts every field's type
            raise self._unreadable(f"JSON of another form ({_briefly(error)})") from None
        if not isinstance(message, AIMessage):
            raise self._unreadable(f"a message of the role {message.type}, not of the assistant")
        return message

    def _unreadable(self, what: str) -> InputError:
        return unreadable(quoted(what, self.key), self.url)

    def _wait_s(self, error: openai.APIError, attempt: int) -> float:
        """As long as the server asks for, else longer each time; spread, so that requests do not all return at once."""
        import openai

        asked = _retry_after_s(error.response.headers) if isinstance(error, openai.APIStatusError) else None
        if asked is not None:
            return min(asked, self.timeout_s)
        return min(FIRST_WAIT_S * 2.0**attempt, _LONGEST_WAIT_S) * random.uniform(0.5, 1.0)  # noqa: S311  # no secret

    def _explained(self, error: openai.APIError) -> InputError:
        return explained(
            error,
            model=self.model,
            url=self.url,
            key=self.key,
            timeout_s=self.timeout_s,
            models=lambda: [quoted(str(one.get("id")), self.key, _LONGEST_FACT) for one in self.listed()],
        )

    def listed(self) -> list[dict[str, Any]]:
        """Ask which models there are; empty where the server does not say. Counts for no photo."""
        import openai

        client = self.chat.root_client.with_options(timeout=_LIST_TIMEOUT_S, max_retries=1)
        try:
            answer = client.get("/models", cast_to=object)
        except (openai.APIError, ValueError) as error:
            logger.info("%s does not list its models: %s", self.url, type(error).__name__)
            return []
        data = answer.get("data") if isinstance(answer, dict) else None
        return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []

    @property
    def described(self) -> str:
        """The model, the server, and what the server says about which weights these are; asked once, and kept.

        What is measured and recorded goes by it, so it stays as it is, also where the server only answers later.
        """
        with self._lock:
            if self._described is None:
                self._described = self._description()
            return self._described

    def _fact(self, said: str) -> str:
        plain = quoted(said, self.key, len(said) + 1)
        if len(plain) <= _LONGEST_FACT:
            return plain
        # What is cut off may be all that two sets of weights differ in.
        return f"{plain[:_LONGEST_FACT]}... {hashlib.sha256(plain.encode()).hexdigest()[:12]}"

    def _description(self) -> str:
        mine = next((one for one in self.listed() if one.get("id") == self.model), {})
        told = {name: mine[name] for name in ("root", "parent", "revision", "sha") if mine.get(name)}
        facts = [
            f"{name} {self._fact(str(value))}" for name, value in told.items() if (name, value) != ("root", self.model)
        ]
        return f"{self.model} at {self.url}" + (f" ({', '.join(facts)})" if facts else "")


def at_once(work: Callable[[Task], Answer], tasks: Sequence[Task], *, threads: int = AT_ONCE) -> list[Answer]:
    """Do all, several at once, results in order; the first error ends it, and what has not begun is not begun.

    An interruption does not wait for what is under way, and neither does the end of the process: hence threads of our
    own, for those of the standard pools are waited for.
    """
    if len(tasks) < 2:
        return [work(task) for task in tasks]
    futures: list[Future[Answer]] = [Future() for _ in tasks]
    waiting = deque(zip(futures, tasks, strict=True))
    running = [
        Thread(target=_work_off, args=(work, waiting), name=f"endpoint-{number}", daemon=True)
        for number in range(min(threads, len(tasks)))
    ]
    for thread in running:
        thread.start()
    try:
        return [future.result() for future in futures]
    except Exception:
        waiting.clear()
        for thread in running:  # else they would still draw from the budget
            thread.join()
        raise
    finally:
        waiting.clear()


def _work_off(work: Callable[[Task], Answer], waiting: deque[tuple[Future[Answer], Task]]) -> None:
    while True:
        try:
            future, task = waiting.popleft()
        except IndexError:
            return
        try:
            future.set_result(work(task))
        except BaseException as error:  # noqa: BLE001  # raised where the result is read
            future.set_exception(error)


def _briefly(error: Exception) -> str:
    """What is wrong, of pydantic's errors the first, without the address of its manual."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, in either of its forms (RFC 9110, section 10.2.3)."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
