"""`geosleuth mcp`, asked by the official SDK's own client."""

import importlib.util
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from geosleuth.agent.agent import Agent
from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.gallery_tools import GALLERY_TOOLS
from geosleuth.agent.localization import Localization
from geosleuth.agent.model_tools import MODEL_TOOLS
from geosleuth.agent.references import References
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import DATA_PREFIX, Finding, Scene, toolbox
from geosleuth.indexes.errors import InputError
from geosleuth.ui.cli import app
from geosleuth.ui.demo_scene import draw_scene
from geosleuth.ui.mcp_desk import Desk
from geosleuth.ui.mcp_photos import MOST_OPEN, PhotoFolders
from geosleuth.ui.mcp_server import make_server

pytest.importorskip("mcp")
from anyio.from_thread import start_blocking_portal
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

AGENT_TESTS = Path(__file__).parents[1] / "agent"


def module(name: str):
    """Load a neighbour of the agent's tests, which are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, AGENT_TESTS / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


scenes = module("scenes")
gullible = module("gullible")
galleries = module("galleries")


class Assistant:
    """Another assistant, in plain calls."""

    def __init__(self, portal, client):
        self.portal, self.client = portal, client

    def tools(self):
        return {tool.name: tool for tool in self.portal.call(self.client.list_tools).tools}

    def call(self, name, **arguments):
        return self.portal.call(self.client.call_tool, name, arguments)

    def text(self, name, **arguments):
        result = self.call(name, **arguments)
        (content,) = result.content
        return content.text

    def data(self, name, **arguments):
        result = self.call(name, **arguments)
        assert not result.is_error, result.content
        text = result.content[0].text
        assert text.startswith(DATA_PREFIX)
        return json.loads(text.removeprefix(DATA_PREFIX))

    def refusal(self, name, **arguments):
        result = self.call(name, **arguments)
        assert result.is_error
        text = result.content[0].text
        assert text.startswith("Error: ")
        return json.loads(text.removeprefix("Error: "))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of photos beside one that nobody may see, with links from one to the other."""
    root = tmp_path_factory.mktemp("mcp")
    folder, private = root / "photos", root / "private"
    (folder / "walk").mkdir(parents=True)
    private.mkdir()
    draw_scene().save(folder / "street.jpg", quality=92)
    Image.fromarray(scenes.PICTURE).save(folder / "walk" / "plain.png")
    Image.fromarray(scenes.PICTURE).save(private / "secret.png")
    (folder / "notes.txt").write_text("no photo")
    (folder / "link.png").symlink_to(private / "secret.png")
    (folder / "linked").symlink_to(private, target_is_directory=True)
    (folder / "same.png").symlink_to(folder / "walk" / "plain.png")
    (folder / "circle.png").symlink_to(folder / "circle.png")
    return folder


@pytest.fixture(scope="module")
def served(photos):
    """The command itself, in a process of its own; verbose, for a log that went to stdout would break the protocol."""
    command = ["-m", "geosleuth.ui.cli", "mcp", "--photos", str(photos), "--verbose"]
    # A key and tracing that is switched on: without our own switch, this would send photos' texts to LangSmith.
    env = {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "none", "OMP_NUM_THREADS": "1"}
    server = StdioServerParameters(command=sys.executable, args=command, env=env)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Client(stdio_client(server))) as client:
        yield Assistant(portal, client)


@pytest.fixture
def near(photos):
    """Return a server of stub tools in this process."""
    with start_blocking_portal() as portal:
        opened = []

        def start(tools=scenes.STUBS, references=None, **settings):
            desk = Desk(Agent(Settings(**settings), tools=tools, references=references), [photos])
            manager = portal.wrap_async_context_manager(Client(make_server(desk)))
            opened.append(manager)
            return Assistant(portal, manager.__enter__())

        yield start
        for manager in opened:
            manager.__exit__(None, None, None)


def test_the_table_of_tools_is_offered_with_its_own_schemas_and_the_photo(served):
    offered = served.tools()
    registry = toolbox(TOOLS)
    assert list(offered) == ["localize", "open_photo", *registry]
    for name, tool in registry.items():
        same_with_a_photo(offered[name], tool)
    assert offered["localize"].output_schema == Localization.model_json_schema(mode="serialization")
    asked = offered["localize"].input_schema["properties"]
    assert {"photo_path", "hints", "observations", "taken"} < set(asked)
    assert offered["localize"].input_schema["required"] == ["photo_path"]


def same_with_a_photo(offered, tool):
    own = tool.schema["function"]
    assert offered.description == own["description"]
    properties = dict(offered.input_schema["properties"])
    assert properties.pop("photo")["type"] == "string"
    assert properties == own["parameters"].get("properties", {})
    assert offered.input_schema["additionalProperties"] is False
    assert offered.input_schema["required"] == [*own["parameters"].get("required", []), "photo"]


def test_the_tools_of_a_gallery_and_of_models_are_offered_the_same_way(near):
    everything = TOOLS | GALLERY_TOOLS | MODEL_TOOLS
    offered = near(everything).tools()
    assert set(offered) == {"localize", "open_photo", *everything} >= {"retrieve", "verify", "compare", "gleam_x"}
    for name, tool in toolbox(everything).items():
        same_with_a_photo(offered[name], tool)


def test_a_drawn_photo_is_localized_with_the_whole_answer_and_a_short_text(served):
    result = served.call("localize", photo_path="street.jpg")
    answer = Localization.model_validate(result.structured_content)
    assert (answer.status, answer.country.code, answer.photo.name) == ("localized", "FR", "street.jpg")
    short = json.loads(result.content[0].text.removeprefix(DATA_PREFIX))
    assert short["country"] == "France, probability 0.999"
    assert short["point"] == [answer.point.lat, answer.point.lon]
    assert any("CONCARNEAU" in claim for claim in short["evidence"])
    assert [one.split(" of ")[0] for one in short["regions"]] == ["50%", "90%"]
    assert answer.regions.features == ()
    outlined = served.call("localize", photo_path="street.jpg", outlines=True).structured_content
    assert [one.properties.share for one in Localization.model_validate(outlined).regions.features] == [0.5, 0.9]


def test_hints_and_what_the_person_sees_count(served):
    result = served.call(
        "localize",
        photo_path="walk/plain.png",
        hints=["in Portugal"],
        observations={"driving_side": "right"},
        taken=datetime(2024, 6, 21, 12, 0, tzinfo=UTC).isoformat(),
        sun_elevation_deg=71.0,
    )
    assert not result.is_error, result.content
    answer = Localization.model_validate(result.structured_content)
    assert answer.country.code == "PT"
    assert {"hint", "observation", "sun"} <= {item.tool for item in answer.evidence}


def test_single_tools_share_what_they_find_as_in_one_run(served):
    photo = served.data("open_photo", photo_path="street.jpg")
    assert (photo["name"], photo["size"]) == ("street.jpg", [1280, 853])
    same = {"photo": photo["photo"]}
    before = served.data("submap", **same, share=0.95)
    read = served.data("read_text", **same)
    after = served.data("submap", **same, share=0.95)
    assert "QUIMPER" in read["text_in_photo"]
    assert before["countries"] == []  # nothing is known yet: the whole world is left
    assert after["countries"] == ["FR"]
    assert served.data("locatability", **same)["score"] > 0.9  # it knows the lines that were read


@pytest.mark.parametrize(
    "path",
    ["../private/secret.png", "link.png", "linked/secret.png", "walk/../../private/secret.png", "circle.png", "a\0b"],
)
def test_what_leads_out_of_the_folders_is_refused_in_three_parts(served, path):
    told = served.refusal("localize", photo_path=path)
    assert list(told) == ["wanted", "found", "what_to_do"]
    assert told["wanted"] == "a photo in a folder that this server may read"
    assert told["found"].startswith("a path that leads outside of them")
    assert "--photos FOLDER" in told["what_to_do"]
    assert served.refusal("open_photo", photo_path=path) == told


def test_whether_a_photo_lies_outside_cannot_be_told_from_the_refusal(served, photos):
    there, absent = (str(photos.parent / "private" / name) for name in ("secret.png", "absent.png"))
    answers = [served.text("localize", photo_path=path).replace(path, "PATH") for path in (there, absent)]
    assert answers[0] == answers[1]


def test_inside_of_the_folders_paths_of_any_form_are_read(photos):
    folders = PhotoFolders.of([photos])
    real = photos.resolve() / "walk" / "plain.png"
    for path in ("walk/plain.png", str(photos / "walk" / "plain.png"), "walk/../walk/plain.png", "same.png"):
        assert folders.find(path) == real
    with pytest.raises(InputError, match=r"no such file there: walk/none\.png"):
        folders.find("walk/none.png")
    with pytest.raises(InputError, match="found nothing: "):
        PhotoFolders.of([photos / "none"])


def test_mistakes_are_told_in_words_and_the_server_goes_on(served):
    assert served.refusal("localise")["found"] == "'localise'"
    assert "photo_path: field required" in served.refusal("localize")["found"]
    assert "share: input should be less than 1" in served.refusal("submap", photo="photo-0", share=2.0)["found"]
    assert served.refusal("read_text", photo="photo-0")["what_to_do"].startswith("Call open_photo first")
    assert "notes.txt" in served.refusal("localize", photo_path="notes.txt")["found"]
    assert "Qxzvland" in served.refusal("localize", photo_path="street.jpg", hints=["in Qxzvland"])["found"]
    assert served.data("open_photo", photo_path="walk/plain.png")["name"] == "plain.png"


def test_only_the_newest_photos_stay_open(near):
    assistant = near()
    ids = [assistant.data("open_photo", photo_path="walk/plain.png")["photo"] for _ in range(MOST_OPEN + 1)]
    assert "not open" in assistant.refusal("metadata", photo=ids[0])["found"]
    assert assistant.data("metadata", photo=ids[1])["summary"] == "no EXIF"


def test_a_tool_called_twice_counts_once_and_photos_do_not_mix(near):
    def shares(scene: Scene) -> Finding:
        """Tell the belief."""
        return Finding("belief", figures={"PT": scene.belief()["PT"]})

    assistant = near(scenes.STUBS | {"shares": shares})
    one, other = (assistant.data("open_photo", photo_path="walk/plain.png")["photo"] for _ in range(2))
    assistant.call("read_text", photo=one)
    once = assistant.data("shares", photo=one)["PT"]
    assistant.call("read_text", photo=one)
    assert assistant.data("shares", photo=one)["PT"] == once > 0.5
    assert assistant.data("shares", photo=other)["PT"] < 0.1
    hinted = assistant.data("open_photo", photo_path="walk/plain.png", hints=["in Portugal"])["photo"]
    assert assistant.data("shares", photo=hinted)["PT"] > 0.9


def test_a_gallery_is_searched_and_verified_one_call_after_the_other(near, photos):
    gallery = galleries.street()
    Image.fromarray(galleries.place(105, shift=20)).save(photos / "query.png")  # the sixth reference, a step aside
    assistant = near(None, References(gallery, gallery.encoder, "embedded"))
    photo = assistant.data("open_photo", photo_path="query.png")["photo"]
    assert assistant.data("verify", photo=photo)["summary"] == "no candidate is left to verify"
    found = assistant.data("retrieve", photo=photo)
    assert found["candidates"][0]["uri"] == "ground/105.jpg"
    verified = assistant.data("verify", photo=photo, top=3)
    assert verified["summary"].startswith("3 candidates verified: 1 match")
    assert assistant.data("prior", photo=photo)["countries"]["SE"] > 0.9  # the match counts for what is asked next


@pytest.mark.parametrize("sign", gullible.ALL)
def test_a_sign_that_gives_orders_stays_data(sign):
    tools = scenes.STUBS | {"read_text": gullible.reader_of(sign)}
    desk = Desk(Agent(Settings(), tools=tools), [AGENT_TESTS])
    desk.folders = type("Everywhere", (), {"find": staticmethod(lambda _: scenes.PICTURE)})()
    photo = json.loads(desk.call("open_photo", {"photo_path": "x"}).text.removeprefix(DATA_PREFIX))["photo"]
    read = desk.call("read_text", {"photo": photo}).text
    answer = desk.call("localize", {"photo_path": "x"})
    assert gullible.order_in(read) is None
    assert gullible.order_in(answer.text) is None
    assert gullible.order_in(json.dumps(answer.structured, ensure_ascii=False)) is None


def test_a_cap_on_precision_holds_for_single_tools_answers_and_failures(near):
    def finds(scene: Scene) -> Finding:
        """Find a place."""
        return Finding("it is Rua do Sol 7", (scenes.stands(38.71, -9.14),), figures={"lat": 38.71})

    def fails(scene: Scene) -> Finding:
        """Fail over a file that is named after the place."""
        raise InputError("a reference", "no such file: rua-do-sol.jpg", "Put it back.")

    tools = scenes.STUBS | {"metadata": finds, "verify": fails}
    assistant = near(tools, precision_cap_km=50.0)
    photo = assistant.data("open_photo", photo_path="walk/plain.png")["photo"]
    told = [assistant.text(name, photo=photo) for name in ("metadata", "verify")]
    told.append(assistant.text("localize", photo_path="walk/plain.png"))
    answer = assistant.call("localize", photo_path="walk/plain.png").structured_content
    told.append(json.dumps(answer))
    assert not [text for text in told if "Sol" in text or "sol.jpg" in text or "38.71" in text]
    assert "Withheld" in told[0]
    assert answer["precision_cap_km"] == 50.0
    uncapped = near(tools)
    assert "Rua do Sol 7" in uncapped.text("metadata", photo=opened(uncapped))


def opened(assistant):
    return assistant.data("open_photo", photo_path="walk/plain.png")["photo"]


def test_without_the_sdk_the_command_says_what_to_install(photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    result = CliRunner().invoke(app, ["mcp", "--photos", str(photos)])
    assert result.exit_code == 2
    assert "pip install 'geosleuth[mcp]'" in result.stderr
    missing = CliRunner().invoke(app, ["mcp", "--photos", str(photos / "none")])
    assert missing.exit_code == 2
    assert "Name an existing folder with --photos." in missing.stderr


def test_ctrl_c_ends_the_server_while_it_waits_for_its_assistant(photos):
    command = [sys.executable, "-m", "geosleuth.ui.cli", "mcp", "--photos", str(photos)]
    asked = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": asked}
        server.stdin.write(json.dumps(message) + "\n")
        server.stdin.flush()
        assert json.loads(server.stdout.readline())["result"]["serverInfo"]["name"] == "geosleuth"
        decoders = children(server.pid)
        server.send_signal(signal.SIGINT)
        assert server.wait(600) == -signal.SIGINT  # of a starved machine
        assert server.stdout.read() == ""
    if sys.platform == "linux":
        assert len(decoders) == 1  # ready before the first photo, and not left behind
        limit = time.monotonic() + 600
        while any(map(alive, decoders)):
            assert time.monotonic() < limit
            time.sleep(0.01)


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int) -> list[str]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return path.read_text().split() if path.exists() else []


def test_whatever_a_tool_writes_to_stdout_does_not_reach_the_protocol(photos, tmp_path):
    script = tmp_path / "noisy.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "from geosleuth.agent.agent import Agent\n"
        "from geosleuth.agent.settings import Settings\n"
        "from geosleuth.agent.toolbox import Finding, Scene\n"
        "from geosleuth.ui.mcp_desk import Desk\n"
        "from geosleuth.ui.mcp_server import make_server, serve_over_stdio\n"
        "def noisy(scene: Scene) -> Finding:\n"
        "    '''Write everywhere.'''\n"
        "    print('python', flush=True)\n"
        "    os.write(1, b'a library in C\\n')\n"
        "    os.system('echo a child')\n"
        "    return Finding('done')\n"
        "serve_over_stdio(make_server(Desk(Agent(Settings(), tools={'noisy': noisy}), [pathlib.Path(sys.argv[1])])))\n"
    )
    server = StdioServerParameters(command=sys.executable, args=[str(script), str(photos)])
    log = (tmp_path / "log").open("w")
    with (
        log,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(stdio_client(server, errlog=log))) as client,
    ):
        assistant = Assistant(portal, client)
        assert assistant.data("noisy", photo=opened(assistant))["summary"] == "done"
    assert {"python", "a library in C", "a child"} <= set((tmp_path / "log").read_text().splitlines())
