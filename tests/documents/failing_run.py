"""Make the picture of a failing run from a real one: python -m tests.documents.failing_run [FILE]."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from tests.documents import given
from tests.documents.pages import ROOT
from tests.documents.projects import clean_environment
from tests.documents.transcripts import plain

PICTURE = ROOT / "docs" / "images" / "failing-run.svg"
COMMANDS = ("pytest -q", "pytest -q --wml=embedded --tb=short --show-capture=no")
_TEST = """\
def test_a_five_and_a_four(wml_contract, wml_digits):
    wml_contract.classes([wml_digits[5], wml_digits[4]], [5, 4])
"""
_COLUMNS = 104


def runs() -> Iterator[tuple[str, str]]:
    """Record the sample, put a model in its place that a training left worse, and give each command's output."""
    with tempfile.TemporaryDirectory(prefix="pytest-wml-") as temporary:
        folder = Path(temporary)
        (folder / "test_contract.py").write_text(_TEST)
        (folder / "pytest.ini").write_text("[pytest]\nwml_model = model.tar.gz\n")
        given.sample(folder / "model.tar.gz")
        _pytest(folder, "pytest -q --wml=embedded --wml-record", 0)
        given.retrained(folder / "model.tar.gz")
        for command in COMMANDS:
            yield command, _pytest(folder, command, 1)


def _pytest(folder: Path, command: str, code: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), "--color=yes"],
        cwd=folder,
        env=clean_environment() | {"COLUMNS": str(_COLUMNS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout
    return plain(done.stdout)


def drawn(made: Iterator[tuple[str, str]]) -> str:
    """The commands and what they print as SVG that loads nothing, not even a font."""
    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), highlight=False)
    for command, output in made:
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        console.print(Text.from_ansi(output))
    fonts = re.compile(r"@font-face \{\{.*?\}\}\s*", flags=re.DOTALL)
    form = fonts.sub("", CONSOLE_SVG_FORMAT).replace(
        "Fira Code, monospace", "Menlo, Consolas, DejaVu Sans Mono, monospace"
    )
    return console.export_svg(title="a model was trained again", code_format=form, unique_id="failing-run") + "\n"


def text_of(picture: Path) -> str:
    """What a reader of the picture reads, below its title."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for node in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text"):
        if "matrix" not in (node.get("class") or "") and node.get("clip-path"):
            place = float(node.attrib["y"]), float(node.attrib["x"])
            rows.setdefault(place[0], []).append((place[1], "".join(node.itertext())))
    lines = ("".join(text for _, text in sorted(row)) for _, row in sorted(rows.items()))
    return "\n".join(line.replace("\xa0", " ").rstrip() for line in lines)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    target.write_text(drawn(runs()), encoding="utf-8")
