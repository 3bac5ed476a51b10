"""The client of a server that speaks the OpenAI protocol, cut off from all that is not this server.

The libraries read the environment for keys, organisations, headers, proxies, gateways and tracers that belong to other
servers: none of them may get a photo, and no other server's key goes to this one.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import openai
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from geosleuth.tools.vlm.endpoint_errors import quoted

if TYPE_CHECKING:
    from langchain_core.outputs import ChatResult

# What a request needs. The others tell about this machine (x-stainless-*), or come from variables of the environment
# (OpenAI-Organization, OpenAI-Project, those of OPENAI_CUSTOM_HEADERS).
_HEADERS = ("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent")
_CLIENTS_OWN = ("x-stainless-raw-response",)  # the client looks for it in what was sent; it only says "true"
_CONNECT_S = 10.0  # a server that takes longer to say hello is not there
NO_KEY = "none"  # the client wants one; it is not sent


class UnreadableResponseError(ValueError):
    """The server's response is none of the protocol; holds what it was."""


class EndpointChat(ChatOpenAI):  # type: ignore[misc]  # optional, so unknown to the check
    """ChatOpenAI that says what is wrong with a response, and keeps the thoughts that servers split off."""

    def _create_chat_result(
        self, response: dict[str, Any] | openai.BaseModel, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        if not isinstance(response, dict | openai.BaseModel):
            raise UnreadableResponseError(f"text that is no JSON: {self._quoted(response)}")
        data = response if isinstance(response, dict) else response.model_dump(warnings=False)
        choices = data.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0].get("message"), dict):
            raise UnreadableResponseError(f"JSON without a choice: {self._quoted(data.get('error') or data)}")
        said = choices[0]["message"]
        if said.get("content") is None:  # of a call, or of a refusal, whose words stand elsewhere
            said["content"] = str(said.get("refusal") or "")
        said["role"] = said.get("role") or "assistant"
        result: ChatResult = super()._create_chat_result(data, generation_info)
        thought = said.get("reasoning_content") or said.get("reasoning")  # vLLM renamed it
        if isinstance(thought, str) and thought:
            result.generations[0].message.additional_kwargs["reasoning_content"] = thought
        return result

    def _quoted(self, value: object) -> str:
        """A page that shows its request shows the key as well."""
        key = self.openai_api_key.get_secret_value()
        return quoted(str(value), None if key == NO_KEY else key)


def open_chat(model: str, url: str, key: str | None, timeout_s: float) -> EndpointChat:
    """Make the client; nothing is sent yet.

    Args:
        model: As the server knows it.
        url: Ends with the version, such as ".../v1".
        key: Sent as a bearer token; None: no header is sent.
        timeout_s: Per request.
    """

    def plain(request: Any) -> None:
        for name in [name for name in request.headers if name.lower() not in (*_HEADERS, *_CLIENTS_OWN)]:
            del request.headers[name]
        request.headers["user-agent"] = "geosleuth"
        if key is not None:
            request.headers["authorization"] = f"Bearer {key}"

    https: dict[str, Any] = {"verify": ssl.create_default_context()} if url.startswith("https:") else {}
    timeout = openai.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S))
    client = openai.DefaultHttpxClient(
        trust_env=False,  # neither proxies nor .netrc
        follow_redirects=False,  # the photo goes to the server named, and no further
        event_hooks={"request": [plain]},
        timeout=timeout,
        **https,
    )
    return EndpointChat(
        model=model,
        base_url=url,
        api_key=SecretStr(key or NO_KEY),
        timeout=timeout,
        max_retries=0,  # each request is counted, so the repetitions are ours
        http_client=client,
        openai_proxy="",  # else OPENAI_PROXY is read
        use_responses_api=False,
        disable_streaming=True,
        cache=False,
        output_version="v0",
        http_socket_options=(),
    )
