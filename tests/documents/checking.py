"""What can be checked of a block that is not run: that it parses, and that its commands and options exist."""

from __future__ import annotations

import ast
import configparser
import contextlib
import functools
import io
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pytest_wml.config.option_table import TABLE
from pytest_wml.tools.cli import parser
from tests.documents.pages import ROOT, Block
from tests.documents.transcripts import steps

SEPARATORS = {"&&", "||", ";", "|", "&"}


def mistakes(block: Block) -> Iterator[str]:
    """What is wrong with a block, as far as it shows without running it."""
    check = {
        "console": _console,
        "python": _python,
        "json": _json,
        "toml": _toml,
        "ini": _ini,
        "yaml": _yaml,
        "text": _anything,
        "gitattributes": _anything,
    }.get(block.language)
    if check is None:
        yield f"nobody knows how to check {block.language!r}"
    else:
        try:
            yield from check(block.text)
        except (SyntaxError, ValueError, yaml.YAMLError, configparser.Error) as error:
            yield str(error)


def unknown_flags(words: list[str]) -> Iterator[str]:
    """Which options of a command line of pytest are none."""
    for word in words:
        if word.startswith("--") and word.partition("=")[0] not in pytests_flags():
            yield f"pytest has no option {word}"


@functools.cache
def pytests_flags() -> frozenset[str]:
    """Every long option that `pytest --help` tells, with the plugins that are here."""
    told = subprocess.run([sys.executable, "-m", "pytest", "--help"], capture_output=True, text=True, check=True)
    return frozenset(re.findall(r"--[a-z][\w-]*", told.stdout)) | {"--junitxml"}  # help has the longer name only


def _console(text: str) -> Iterator[str]:
    for step in steps(text):
        for words in _commands(step.command):
            yield from _command(words)


def _commands(script: str) -> Iterator[list[str]]:
    for line in script.replace("\\\n", " ").splitlines():
        words: list[str] = []
        for word in [*shlex.split(line, comments=True), ";"]:
            if word in SEPARATORS:
                if words:
                    yield words
                words = []
            else:
                words.append(word)


def _command(words: list[str]) -> Iterator[str]:
    words = [word for index, word in enumerate(words) if index or not re.match(r"\w+=", word)]
    line = " ".join(words)
    if words[0] == "pytest":
        yield from unknown_flags(words[1:])
    elif words[0] == "pytest-wml":
        yield from _ours(words[1:])
    for extras in re.findall(r"pytest-wml\[([\w,]+)\]", line):
        known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        yield from (f"there is no extra {name}" for name in extras.split(",") if name not in known)
    for environment in re.findall(r"tox run -e (\w+)", line):
        if environment not in (ROOT / "tox.ini").read_text():
            yield f"tox has no environment {environment}"


def _ours(words: list[str]) -> Iterator[str]:
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
        try:
            parser().parse_args(words)
        except SystemExit as ended:
            if ended.code:
                yield told.getvalue().strip().splitlines()[-1]


def _python(text: str) -> Iterator[str]:
    ast.parse(text)
    yield from ()


def _json(text: str) -> Iterator[str]:
    json.loads(text)
    yield from ()


def _anything(text: str) -> Iterator[str]:
    yield from ()


def _toml(text: str) -> Iterator[str]:
    yield from _keys(tomllib.loads(text).get("tool", {}).get("pytest", {}).get("ini_options", {}))


def _ini(text: str) -> Iterator[str]:
    read = configparser.ConfigParser()
    read.read_string(text)
    for section in read.values():
        yield from _keys(dict(section))


def _keys(given: dict[str, Any]) -> Iterator[str]:
    known = {option.ini for option in TABLE}
    yield from (f"there is no ini key {name}" for name in given if name.startswith("wml_") and name not in known)


def _yaml(text: str) -> Iterator[str]:
    for command in _scripts(yaml.safe_load(text)):
        yield from _console(command)


def _scripts(value: Any) -> Iterator[str]:
    """The shell commands of a CI's file: `run`, `script` and the like."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name in ("run", "script", "before_script"):
                yield from [each] if isinstance(each, str) else each
            else:
                yield from _scripts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _scripts(each)


def links(page: Path) -> Iterator[str]:
    """Where a page's relative links lead, images included."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if not re.match(r"https?:|mailto:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them, and those that a build adds."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
