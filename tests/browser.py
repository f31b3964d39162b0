"""A headless Chromium for the tests of pages."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

import pytest

ARGUMENTS = (
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def browser_path() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextlib.contextmanager
def browser() -> Iterator:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=browser_path(), args=list(ARGUMENTS))
        try:
            yield launched
        finally:
            launched.close()


# No wider: what drives the browser keeps an event loop running, and other tests want their own.
@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium; without one tests are skipped, unless WML_CHROMIUM says that it is required."""
    if browser_path() is None:
        reason = "there is no chromium on the path"
        if os.environ.get("WML_CHROMIUM") == "required":
            pytest.fail(f"WML_CHROMIUM=required, and {reason}.")
        pytest.skip(f"{reason}; install it to test the page")
    with browser() as launched:
        yield launched
