"""Make docs/images/page.png: python -m tests.emulator.page.screenshot [FOLDER]; in FOLDER, one more for each look."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pytest_wml.digits import load_digits
from tests.browser import browser
from tests.emulator.page.browsing import FIVE, draw, rest_of, score, serving

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "pytest_wml" / "data" / "mnist_cnn.tar.gz"
SIZE = {"width": 1100, "height": 800}


def prepare(app, url: str) -> None:
    """A model, a deployment, and scorings by somebody else."""
    rest = rest_of(app, url)
    model = rest.store(SAMPLE, name="mnist_cnn")
    deployed = rest.create_deployment(model, name="digits", online={"parameters": {"serving_name": "digits"}})
    deployment = deployed.json["metadata"]["id"]
    digits = load_digits()
    for label in (7, 2, 1, 0):
        image = digits.all_of(label)[-1].tolist()
        assert rest.score(deployment, {"values": [image]}).status_code == 200
    assert rest.score(deployment, {"values": [[0.0] * 10]}).status_code == 400


def take(folder: Path | None) -> None:
    with (
        tempfile.TemporaryDirectory() as temporary,
        serving(Path(temporary)) as (url, app),
        browser() as chromium,
    ):
        prepare(app, url)
        for scheme in ("light", "dark") if folder else ("light",):
            page = chromium.new_page(viewport=SIZE, color_scheme=scheme, ignore_https_errors=True)
            page.goto(url)
            page.locator("#chosen-state[data-state=ready]").wait_for()
            draw(page, FIVE)
            score(page)
            page.locator("#scorings > li").nth(4).wait_for()
            page.mouse.move(0, 0)
            page.wait_for_timeout(400)  # until the bars have grown
            target = folder / f"{scheme}.png" if folder else ROOT / "docs" / "images" / "page.png"
            page.screenshot(path=target)
            if folder:
                page.set_viewport_size({"width": 360, "height": 800})
                page.screenshot(path=folder / f"{scheme}-narrow.png", full_page=True)
            page.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
