"""Make docs/images/report.png from a failing run: python -m tests.runner.report.screenshot [FOLDER].

In FOLDER, one picture more for each look.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from tests.browser import browser
from tests.runner.report.suites import DIGITS

ROOT = Path(__file__).parents[3]
SIZE = {"width": 1000, "height": 1400}


def report(folder: Path) -> Path:
    """The page of a real run, in which contracts are broken."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_digits.py").write_text(textwrap.dedent(DIGITS))
    command = [sys.executable, "-m", "pytest", "-q", "--wml=embedded", "--wml-report=out", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, check=False)
    assert done.returncode == 1, done
    return folder / "out" / "index.html"


def take(folder: Path | None) -> None:
    with tempfile.TemporaryDirectory() as temporary, browser() as chromium:
        address = report(Path(temporary)).as_uri()
        for scheme in ("light", "dark") if folder else ("light",):
            page = chromium.new_page(viewport=SIZE, color_scheme=scheme)
            page.goto(address)
            page.screenshot(path=folder / f"{scheme}.png" if folder else ROOT / "docs" / "images" / "report.png")
            if folder:
                page.screenshot(path=folder / f"{scheme}-whole.png", full_page=True)
                page.set_viewport_size({"width": 360, "height": 800})
                page.screenshot(path=folder / f"{scheme}-narrow.png", full_page=True)
            page.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
