"""A server with the page, and a browser that looks at it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.emulator.serve.certificate import certified
from pytest_wml.emulator.serve.listening import Server, listen
from pytest_wml.emulator.serve.middleware import HostCheck
from tests.emulator.rest import Rest

Strokes = Sequence[Sequence[tuple[float, float]]]
# As a hand draws them on a square of 1 by 1, counted from the left and the top.
FIVE: Strokes = (
    (
        *((0.68 - 0.28 * part / 4, 0.17 + 0.01 * part / 4) for part in range(5)),
        *((0.40 - 0.04 * part / 4, 0.18 + 0.27 * part / 4) for part in range(5)),
        *((0.48 + 0.19 * math.cos(angle / 50), 0.62 + 0.2 * math.sin(angle / 50)) for angle in range(-110, 126, 10)),
    ),
)
FOUR: Strokes = (
    ((0.40, 0.18), (0.33, 0.36), (0.28, 0.54), (0.45, 0.55), (0.72, 0.52)),
    ((0.63, 0.20), (0.61, 0.50), (0.58, 0.84)),
)


@contextlib.contextmanager
def looking(chromium, url: str, *, refused: int = 0, **settings) -> Iterator:
    """The page in a browser; in the end nothing may have been asked of another host, or be on its console.

    Args:
        refused: how many requests the service refuses meanwhile, each of which the browser notes on its console.
    """
    console: list[str] = []
    addresses: list[str] = []
    context = chromium.new_context(ignore_https_errors=True, **settings)
    try:
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: console.append(message.text))
        page.on("pageerror", lambda error: console.append(str(error)))
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(url)
        page.locator("#connection[data-state=there]").wait_for()
        yield page
    finally:
        context.close()
    assert [address for address in addresses if not address.startswith(f"{url}/")] == []
    assert [line for line in console if not line.startswith("Failed to load resource")] == []
    assert len(console) == refused


@contextlib.contextmanager
def serving(folder: Path, **settings) -> Iterator[tuple[str, EmbeddedWML]]:
    """A server with the page on this machine, as `pytest-wml serve` has it; gives its address."""
    crashes: list[Exception] = []
    with EmbeddedWML(page=True, **settings) as app, listen("127.0.0.1", 0) as listener:
        guarded = HostCheck(app, ["127.0.0.1", "localhost"])
        server = Server(
            listener, certified(folder, ["127.0.0.1", "localhost"], folder).context, guarded, crashes.append
        )
        server.start()
        try:
            yield f"https://127.0.0.1:{server.port}", app
        finally:
            server.stop()
        assert app.crashes == crashes == []


def rest_of(app: EmbeddedWML, url: str) -> Rest:
    return Rest(app, host=url)


def draw(page, strokes: Strokes) -> None:
    """Draw on the page's canvas with the mouse."""
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=3)
        page.mouse.up()


def score(page) -> None:
    """Press the button, and wait for the answer."""
    page.get_by_role("button", name="Score", exact=True).click()
    settled(page)


def settled(page) -> None:
    """Wait until nothing is being scored."""
    page.locator("#go:not([aria-disabled])").wait_for()
