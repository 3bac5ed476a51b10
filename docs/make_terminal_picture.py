"""Draw docs/answer.svg, the README's picture of a real answer, and docs/street-scene.jpg, the photo it is about.

    python docs/make_terminal_picture.py

The photo is the synthetic scene of ui/demo_scene.py: it needs no licence and shows nobody's street. What the picture
says is what `geosleuth localize` prints: the agent runs, and nothing is edited.
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from geosleuth.agent.agent import Agent
from geosleuth.agent.settings import Settings
from geosleuth.ui.demo_scene import draw_scene
from geosleuth.ui.terminal import show

FOLDER = Path(__file__).parent
WIDTH = 92  # columns: no claim of the scene wraps twice, and the picture is legible at the width of a README
# rich's own format loads its font from a server; a picture in a README must not, and most systems have one of these.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"
)


def main() -> None:
    """Run the agent on the scene and write both pictures."""
    scene = draw_scene()
    scene.resize((640, 426)).save(FOLDER / "street-scene.jpg", quality=85)
    agent = Agent(Settings())  # nobody's geosleuth.toml
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "street-scene.jpg"
        scene.save(photo, quality=92)
        agent.localize(photo)  # the first run loads the tables
        answer = agent.localize(photo)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False, force_terminal=True)
    show(answer, console)
    text = console.export_svg(title="geosleuth localize out/street-scene.jpg", code_format=FORMAT, unique_id="answer")
    (FOLDER / "answer.svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
