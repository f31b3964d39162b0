"""Pictures of the built site, made anew from real runs where there is a browser; else those of the tree stay."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

ROOT = Path(__file__).parents[2]
logger = logging.getLogger(__name__)

# Picture: the module that makes it, what it is given, and where the picture is then.
PICTURES = {
    "failing-run.svg": ("tests.documents.failing_run", "failing-run.svg", "failing-run.svg"),
    "report.png": ("tests.runner.report.screenshot", "report", "report/light.png"),
    "page.png": ("tests.emulator.page.screenshot", "page", "page/light.png"),
}


def missing() -> str:
    """What is needed to make pictures and is not there."""
    modules = ("tensorflow", "ibm_watson_machine_learning", "playwright", "rich")
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    if not (shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")):
        absent.append("chromium")
    return ", ".join(absent)


def make(app: Sphinx, problem: Exception | None) -> None:
    """Replace each picture that the pages show."""
    images = Path(app.outdir, app.builder.imagedir)
    wanted = [name for name in PICTURES if (images / name).exists()]
    if problem or app.builder.format != "html" or app.config.wml_pictures == "tree" or not wanted:
        return
    if absent := missing():
        if os.environ.get("WML_CHROMIUM") == "required":
            raise ExtensionError(f"WML_CHROMIUM=required, and pictures cannot be made without {absent}.")
        logger.info("pictures are those of the tree: there is no %s", absent)
        return
    with tempfile.TemporaryDirectory(prefix="pytest-wml-") as temporary:
        for name in wanted:
            module, given, made = PICTURES[name]
            logger.info("making %s from a real run", name)
            target = Path(temporary, given)
            if not target.suffix:
                target.mkdir()
            _run(module, target)
            shutil.copy(Path(temporary, made), images / name)


def _run(module: str, target: Path) -> None:
    # Where the interpreter leaves the working folder out, as under tox, the tests are found all the same.
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", module, str(target)]
    done = subprocess.run(  # noqa: S603 our own module
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ExtensionError(f"{module} failed:\n{done.stdout}{done.stderr}")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("wml_pictures", "new", "", str)  # tree: those that are there
    app.connect("build-finished", make)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
