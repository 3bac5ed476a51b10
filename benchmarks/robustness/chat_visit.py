"""One visitor of the chat, without a browser: it speaks Streamlit's own messages over a WebSocket.

A browser page costs more than the server's whole answer, and twenty of them would measure the browser. The visitor does
what a page does: it runs the script, uploads a file, clicks, and asks a fragment anew as often as the server wants.
"""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

BUTTON = "Find the place"
_WAITING = re.compile(r"Waiting, (\d+) before you")


@dataclass
class Visit:
    """What became of one question."""

    outcome: str = ""  # "answered", or in words what else
    open_s: float = 0.0  # until the page stood
    answer_s: float = 0.0  # from the click to the answer
    most_before: int = 0  # the worst place in the queue that was told
    polls: int = 0  # how often the page asked whether it was done


@dataclass
class _Page:
    """What the messages of the server have said so far."""

    session: str = ""
    query: str = ""  # of the page's address
    widgets: dict[str, Any] = field(default_factory=dict)  # label -> the newest element that has it
    headings: list[str] = field(default_factory=list)  # of the second level: the place on an answer's card
    errors: list[str] = field(default_factory=list)
    uploads: dict[str, Any] = field(default_factory=dict)  # by request
    fragment: tuple[str, float] | None = None  # to be asked anew, and after how many seconds
    finished: int = 0  # runs of the script
    most_before: int = 0


class Visitor:
    """A page of the chat at `url`, open while used as a context."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url, self._until = url, time.monotonic() + timeout_s
        self._page = _Page()
        self._states: list[Any] = []  # of the widgets: what the person has set

    def __enter__(self) -> Visitor:
        from websockets.sync.client import connect
        from websockets.typing import Subprotocol

        # Without pings of ours: a browser sends none, and waits.
        address = self._url.replace("http", "ws", 1) + "/_stcore/stream"
        protocol = Subprotocol("streamlit")
        self._socket = connect(
            address, subprotocols=[protocol], max_size=None, compression=None, open_timeout=120, ping_interval=None
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, name: str, content: bytes) -> Visit:
        """Hand in a photo, ask where it was taken, and wait for the answer."""
        visit, began = Visit(), time.monotonic()
        try:
            self._run()
            visit.open_s = time.monotonic() - began
            self._upload(name, content)
            self._run()
            clicked = time.monotonic()
            self._click(BUTTON)
            visit.outcome = self._outcome(visit)
            visit.answer_s = time.monotonic() - clicked
        except Exception as error:  # noqa: BLE001 - of the socket, too: it is counted, and the other visitors go on
            visit.outcome = f"{type(error).__name__}: {error}"
        visit.most_before = self._page.most_before
        return visit

    def _outcome(self, visit: Visit) -> str:
        while not self._page.headings:
            if self._page.errors:
                return f"refused: {self._page.errors[0]}"
            fragment = self._page.fragment
            if fragment is None:
                self._receive()
                continue
            self._receive_for(fragment[1])
            if self._page.headings or self._page.errors:
                continue
            visit.polls += 1
            self._run(fragment_id=fragment[0], is_auto_rerun=True)
        return "answered"

    def _run(self, **options: Any) -> None:
        """Run the script, or a fragment of it, and wait for its end."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message = BackMsg()
        message.rerun_script.query_string = self._page.query
        message.rerun_script.widget_states.widgets.extend(self._states)
        for name, value in options.items():
            setattr(message.rerun_script, name, value)
        finished = self._page.finished
        self._socket.send(message.SerializeToString())
        while self._page.finished == finished:
            self._receive()

    def _click(self, label: str) -> None:
        from streamlit.proto.WidgetStates_pb2 import WidgetState

        button = self._page.widgets.get(label)
        if button is None or button.disabled:
            raise LookupError(f"no button {label!r} that can be clicked")
        self._states.append(WidgetState(id=button.id, trigger_value=True))
        try:
            self._run()
        finally:
            self._states.clear()  # the page of the case has other widgets

    def _upload(self, name: str, content: bytes) -> None:
        import requests
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.WidgetStates_pb2 import WidgetState

        request = uuid.uuid4().hex
        message = BackMsg()
        message.file_urls_request.request_id = request
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self._page.session
        self._socket.send(message.SerializeToString())
        while request not in self._page.uploads:
            self._receive()
        (place,) = self._page.uploads.pop(request)
        with requests.Session() as session:  # the server wants its cookie back as a header
            session.get(f"{self._url}/_stcore/health", timeout=60)
            token = session.cookies.get("_streamlit_xsrf", "")
            address = urljoin(self._url, place.upload_url)
            files = {"file": (name, content)}
            session.put(address, files=files, headers={"X-Xsrftoken": token}, timeout=120).raise_for_status()
        uploader = next(one for one in self._page.widgets.values() if hasattr(one, "multiple_files"))
        state = WidgetState(id=uploader.id)
        state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(content), file_id=place.file_id, file_urls=place
        )
        self._states.append(state)

    def _receive_for(self, seconds: float) -> None:
        """Take in what comes within so many seconds."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                self._take(self._socket.recv(timeout=left))
            except TimeoutError:
                return

    def _receive(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self._take(self._socket.recv(timeout=left))

    def _take(self, content: str | bytes) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        message = ForwardMsg.FromString(content if isinstance(content, bytes) else content.encode())
        page, kind = self._page, message.WhichOneof("type")
        if kind == "new_session":
            page.session = message.new_session.initialize.session_id or page.session
            if not message.metadata.run.fragment_ids:  # a run of the whole page tells anew what it has
                page.fragment = None
        elif kind == "page_info_changed":
            page.query = message.page_info_changed.query_string
        elif kind == "file_urls_response":
            page.uploads[message.file_urls_response.response_id] = list(message.file_urls_response.file_urls)
        elif kind == "auto_rerun":
            page.fragment = (message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "script_finished":
            page.finished += 1
        elif kind == "delta":
            self._see(message.delta, in_main=message.metadata.delta_path[0] == 0)

    def _see(self, delta: Any, *, in_main: bool) -> None:
        page = self._page
        if delta.WhichOneof("type") == "add_block":
            waiting = _WAITING.search(delta.add_block.expandable.label)
            if waiting:
                page.most_before = max(page.most_before, int(waiting[1]))
            return
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind in ("button", "file_uploader"):
            one = getattr(element, kind)
            page.widgets[one.label] = one
        elif kind == "heading" and element.heading.tag == "h2" and in_main:  # the sidebar has headings, too
            page.headings.append(element.heading.body)
        elif kind == "exception":
            page.errors.append(element.exception.type)
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            page.errors.append(element.alert.body)
