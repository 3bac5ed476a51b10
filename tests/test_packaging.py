import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("agent", "indexes", "tools", "training", "ui")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LISTED = PROJECT["tool"]["setuptools"]["packages"]
# What `--help` may cost is half a second; each of these alone costs a tenth or more.
HEAVY = (
    "babel", "cv2", "geopandas", "h3", "langchain_core", "langgraph", "numpy", "onnxruntime", "pandas", "phonenumbers",
    "PIL", "pydantic", "rapidocr", "rich.console", "scipy", "shapely", "simplekml", "torch", "wordfreq",
)  # fmt: skip


def dotted(folder: Path) -> str:
    return ".".join(("geosleuth", *folder.relative_to(ROOT).parts))


def test_the_listed_packages_are_the_folders_that_hold_one():
    folders = (path.parent for room in ROOMS for path in (ROOT / room).rglob("__init__.py"))
    assert sorted(LISTED) == sorted(
        f"geosleuth.{folder.relative_to(ROOT).as_posix().replace('/', '.')}" for folder in folders
    )


def test_every_module_lies_in_a_listed_package():
    assert {dotted(path.parent) for room in ROOMS for path in (ROOT / room).rglob("*.py")} == set(LISTED)


@pytest.mark.parametrize("room", ROOMS)
def test_static_tools_find_each_room_by_its_link(room):
    assert (ROOT / ".links" / "geosleuth" / room).resolve() == ROOT / room


@pytest.mark.parametrize("package", LISTED)
def test_each_package_imports(package):
    assert importlib.import_module(package).__doc__


def test_every_data_file_is_shipped():
    assert PROJECT["tool"]["setuptools"]["package-data"]["*"] == ["configs/*", "data/*", "py.typed"]
    for room in ROOMS:
        for data in (path for path in (ROOT / room).rglob("*") if path.is_dir() and path.name in ("configs", "data")):
            assert (data.parent / "__init__.py").is_file(), data  # belongs to a package
            assert [path for path in data.iterdir() if path.is_dir()] == []  # data/* takes files only
        assert (ROOT / room / "py.typed").is_file()


def test_the_debian_packages_of_ci_are_those_that_tesseract_needs():
    from geosleuth.tools.tesseract import DEBIAN_PACKAGES

    text = (ROOT / ".ci" / "install-debian").read_text(encoding="utf-8")
    scripts = text.split("scripts=(")[1].split(")")[0].split()
    assert ["tesseract-ocr", *(f"tesseract-ocr-script-{s}" for s in scripts)] == list(DEBIAN_PACKAGES)


SHOW_HELP = """
import sys
from geosleuth.ui.cli import main
sys.argv = ["geosleuth", "--help"]
try:
    main()
except SystemExit:
    print(*sys.modules, file=sys.stderr)
"""


def test_help_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", SHOW_HELP], capture_output=True, text=True, check=True)
    assert "localize" in done.stdout
    loaded = set(done.stderr.split())
    assert sorted(loaded.intersection(HEAVY)) == []
    assert sorted(name for name in loaded if name.startswith("geosleuth.")) == [
        "geosleuth.agent", "geosleuth.agent.printable", "geosleuth.indexes", "geosleuth.indexes.errors",
        "geosleuth.ui", "geosleuth.ui.batch_command", "geosleuth.ui.calibrate_command", "geosleuth.ui.chat_command",
        "geosleuth.ui.cli", "geosleuth.ui.columns", "geosleuth.ui.curate", "geosleuth.ui.curate.clues_command",
        "geosleuth.ui.curate.exchange_command", "geosleuth.ui.curate.explanations_command",
        "geosleuth.ui.curate.locatability_command", "geosleuth.ui.curate.pairs_command",
        "geosleuth.ui.curate.review_command", "geosleuth.ui.curate_commands", "geosleuth.ui.evaluate_ablations",
        "geosleuth.ui.evaluate_agent", "geosleuth.ui.evaluate_commands", "geosleuth.ui.evaluate_human",
        "geosleuth.ui.evaluate_vlm", "geosleuth.ui.index_commands", "geosleuth.ui.localize_command",
        "geosleuth.ui.mcp_commands", "geosleuth.ui.options", "geosleuth.ui.progress_line", "geosleuth.ui.shell",
        "geosleuth.ui.towns_command", "geosleuth.ui.train_adapters", "geosleuth.ui.train_commands",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_the_papers_are_there(name):
    assert (ROOT / name).stat().st_size > 500


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"])
def test_links_between_the_papers_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    linked = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in linked if not ((ROOT / name).parent / link).exists()] == []


def test_the_readme_names_every_setting_option_and_extra():
    from typer.main import get_command

    from geosleuth.agent.settings import known_keys
    from geosleuth.ui.cli import app

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    localize = get_command(app).commands["localize"]
    options = {option.opts[0] for option in localize.params if option.opts[0].startswith("--")}
    assert sorted(options - {"--help"} - set(re.findall(r"--[a-z-]+", text))) == []
    assert [key for key in known_keys() if f".{key.split('.')[-1]}`" not in text and f"`{key}`" not in text] == []
    assert [extra for extra in PROJECT["project"]["optional-dependencies"] if f"`{extra}`" not in text] == []


def test_the_pictures_of_the_readme_ask_no_server():
    drawn = (ROOT / "docs" / "answer.svg").read_text(encoding="utf-8")
    assert "@font-face" not in drawn
    assert re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?http", drawn) == []
