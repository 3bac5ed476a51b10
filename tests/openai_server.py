"""Real servers of the OpenAI protocol with tiny models, each a process of its own on a free port of this machine.

`transformers serve` reads images and calls tools, and shows no probabilities. llama.cpp's server (package xllamacpp)
shows them, goes on from a beginning and decodes under a schema; its model is the text half of the tiny Qwen2.5-VL,
written as GGUF (package gguf), so that its figures can be compared with those of transformers.

`scripted_server` is one in this process that answers as a test says, with errors too.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_DEADLINE_S = 240.0  # `transformers serve` starts in 10 s on a core of its own, in 70 s on a busy machine


@contextlib.contextmanager
def transformers_server(folder: Path):
    """Yield the URL of a `transformers serve` that holds the model of a folder."""
    port = _free_port()
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder)]
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    yield from _running([*command, *options], f"http://127.0.0.1:{port}", "/health")


@contextlib.contextmanager
def llama_server(gguf: Path, *, name: str = "tiny"):
    """Yield the URL of llama.cpp's server with the model of a GGUF file."""
    port = _free_port()
    command = [sys.executable, str(Path(__file__).resolve()), str(gguf), str(port), name]
    yield from _running(command, f"http://127.0.0.1:{port}", "/health")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _running(command: list[str], url: str, health: str):
    threads = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as log:
        # A cache of its own: the server lists what it finds there.
        environment = os.environ | threads | {"HF_HOME": home}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(process, url + health, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=5)


def _wait(process: subprocess.Popen, url: str, log) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError), opener.open(url, timeout=2):
            return
        time.sleep(0.1)
    log.seek(0)
    raise RuntimeError(f"no server at {url}: {log.read()[-2000:].decode(errors='replace')}")


_BLOCKS = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.down_proj": "ffn_down",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
}
_OUTSIDE = {
    "lm_head.weight": "output.weight",
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
}


def write_gguf(folder: Path, target: Path) -> Path:
    """Write the text half of a Qwen2.5-VL folder as llama.cpp reads it; on text alone the two are the same model."""
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text())["text_config"]
    writer = gguf.GGUFWriter(target, "qwen2")
    writer.add_context_length(4096)
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _add_tokenizer(writer, folder, config)
    for name, weights in load_file(folder / "model.safetensors").items():
        if "visual" not in name:
            writer.add_tensor(_OUTSIDE.get(name) or _block_name(name), weights.astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def _block_name(name: str) -> str:
    _, _, layer, rest = name.split(".", 3)
    module, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{_BLOCKS[module]}.{kind}"


def _add_tokenizer(writer, folder: Path, config: dict) -> None:
    from gguf import TokenType

    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    words = [f"[unused{i}]" for i in range(config["vocab_size"])]
    kinds = [TokenType.UNUSED] * len(words)
    for word, i in tokenizer["model"]["vocab"].items():
        words[i], kinds[i] = word, TokenType.NORMAL
    for added in tokenizer["added_tokens"]:
        words[added["id"]] = added["content"]
        kinds[added["id"]] = TokenType.CONTROL if added["special"] else TokenType.USER_DEFINED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(words)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(merge) for merge in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_add_bos_token(False)
    writer.add_chat_template((folder / "chat_template.jinja").read_text())


class ScriptedServer(ThreadingHTTPServer):
    """A server of the OpenAI protocol in this process that answers as a function says; keeps what it was sent.

    `answer(body, number)` returns (status, headers, body) for the `number`-th request, from 0; see `said` and `fails`.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), _ScriptedHandler)
        self.answer = answer
        self.received = []  # bodies
        self.answered = []  # SHA-256 of the bodies whose answers went out whole, with status 200
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that hung up, or was killed
            super().handle_error(request, client_address)


class _ScriptedHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        self._send(200, {}, {"object": "list", "data": []})

    def do_POST(self):
        content = self.rfile.read(int(self.headers["content-length"]))
        body = json.loads(content)
        with self.server.lock:
            number = len(self.server.received)
            self.server.received.append(body)
        status, headers, answer = self.server.answer(body, number)
        if status == 200:  # before it goes out: a client that has the answer is never counted too late
            with self.server.lock:
                self.server.answered.append(hashlib.sha256(content).hexdigest())
        self._send(status, headers, answer)

    def _send(self, status, headers, body):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in ({"content-type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def scripted_server(answer):
    """Yield a running `ScriptedServer`."""
    with ScriptedServer(answer) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def said(text, *, finish="stop", tokens=(700, 60)):
    """An answer with a text; `tokens` are read and written."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": finish, "message": message}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    return (
        200,
        {},
        {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage},
    )


def fails(status, message="", **headers):
    """A refusal; headers such as retry_after."""
    return status, {k.replace("_", "-"): v for k, v in headers.items()}, {"error": {"message": message, "type": "x"}}


def asked_text(body):
    """All that a request says, without its pictures."""
    parts = [part for message in body["messages"] for part in _parts(message["content"])]
    return "\n".join(parts)


def _parts(content):
    return [content] if isinstance(content, str) else [part["text"] for part in content if part["type"] == "text"]


def installed(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) for package in packages)


def _serve_llama(gguf: str, port: int, name: str) -> None:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = gguf
    parameters.model_alias = {name}
    parameters.port = port
    parameters.n_ctx = 16384
    parameters.n_parallel = 4
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.n_gpu_layers = 0
    parameters.warmup = False
    parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32  # as transformers keeps it
    parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    _serve_llama(sys.argv[1], int(sys.argv[2]), sys.argv[3])
