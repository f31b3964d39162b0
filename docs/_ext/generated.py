"""The reference, made from the code: `python docs/_ext/generated.py` writes it into docs/reference/.

The pages hold it as plain Markdown, which code hosts show; the site has directives in its place, for links and search.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import re
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest_wml
from pytest_wml import contract
from pytest_wml.client.scoring import Prediction
from pytest_wml.config.option_table import MARKER, TABLE
from pytest_wml.contract.files import schema
from pytest_wml.contract.toolkit import Contract
from pytest_wml.runner import fixtures, marker
from pytest_wml.tools import cli

PAGES = Path(__file__).parents[1] / "reference"
MADE = re.compile(r"<!-- made from the code: ([\w-]+) -->\n.*?<!-- end -->", re.DOTALL)
"""What stands between these two lines of a page is made here."""

Lines = Iterator[str]


class Entry(NamedTuple):
    """Something that can be linked to: an option, a fixture, a function."""

    kind: str
    name: str
    body: tuple[str, ...]


Parts = Iterator[Entry | str]
"""Entries, and lines of Markdown between them."""


def entry(kind: str, name: str, *body: str) -> Parts:
    yield Entry(kind, name, body)


def options() -> Parts:
    """Every option of pytest: flag, variable, ini key, default."""
    for option in TABLE:
        yield from entry(
            "option",
            " ".join(filter(None, [option.flag, option.metavar])),
            _sentence(option.help),
            "",
            f"Variable `{option.env}`, ini `{option.ini}`, default {_default(option.default)}.",
        )
    yield from entry("option", "--wml-live", "Short for `--wml=live`.")


def fixture_names() -> tuple[str, ...]:
    """The public fixtures."""
    return tuple(name for name in vars(fixtures) if name.startswith("wml_"))


def all_fixtures() -> Parts:
    """Every public fixture, with its scope."""
    for name in fixture_names():
        fixture = getattr(fixtures, name)
        scope = fixture._fixture_function_marker.scope
        yield from entry("fixture", name, *_documented(fixture._get_wrapped_function()), "", f"Scope: {scope}.")


def markers() -> Parts:
    """The marker's arguments."""
    yield from entry("fixture", "@pytest.mark." + MARKER.partition(": ")[0])
    yield from _arguments(inspect.getdoc(marker.wml) or "")


def checks() -> Parts:
    """Every check of the contract toolkit; what its arguments mean says the function that it calls."""
    for name in check_names():
        method, function = getattr(Contract, name), getattr(contract, f"check_{name}", None)
        known = set(inspect.signature(method).parameters)
        body = list(_documented(method))
        if function and not any(line.startswith("- `") for line in body):
            body += ["", *_arguments(inspect.getdoc(function) or "", known)]
        yield from entry("py:method", f"wml_contract.{name}{_signature(method)}", *body)


def check_names() -> tuple[str, ...]:
    """The public methods of `wml_contract`."""
    fields = {field.name for field in dataclasses.fields(Contract)}
    return tuple(
        name for name, each in vars(Contract).items() if callable(each) and name[0] != "_" and name not in fields
    )


def api() -> Parts:
    """What `pytest_wml` exports, and the values that it gives."""
    for name in pytest_wml.__all__:
        value = getattr(pytest_wml, name)
        if isinstance(value, str):
            yield from entry("py:data", f"pytest_wml.{name}", "The space of the embedded service.")
        elif inspect.isclass(value):
            yield from _class(name, value)
        else:
            yield from _described("py:function", f"pytest_wml.{name}", value)


def _class(name: str, value: type) -> Parts:
    made = "" if issubclass(value, Exception | Prediction) else _signature(value)
    yield from entry("py:class", f"pytest_wml.{name}{made}", *_documented(value))
    for method, function in vars(value).items():
        if not method.startswith("_") and inspect.isfunction(function):
            yield from _described("py:method", f"pytest_wml.{name}.{method}", function)


def commands() -> Parts:
    """Every subcommand with its options, as argparse has them."""
    for words, parser in subcommands(cli.parser()):
        yield from entry("program", words)
        yield f"## {words}"
        yield ""
        yield from (parser.description or _sentence(_help_of(words))).splitlines()
        yield ""
        # In one line: argparse breaks it by the width of the terminal.
        yield from ("```text", " ".join(parser.format_usage().split()), "```", "")
        for action in parser._actions:
            if not isinstance(action, argparse._HelpAction):
                yield from entry("option", _invocation(action), _sentence((action.help or "") % vars(action) or "…"))
        if parser.epilog:
            yield from ("```text", *parser.epilog.strip().splitlines(), "```", "")


def subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The innermost commands, with the words that call them."""
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in inner:
        for each in action.choices.values():
            yield from subcommands(each)
    if not inner:
        yield parser.prog, parser


def _help_of(words: str) -> str:
    parser = cli.parser()
    told = ""
    for word in words.split()[1:]:
        (action,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
        told = next(choice.help or "" for choice in action._choices_actions if choice.dest == word)
        parser = action.choices[word]
    return told


def _invocation(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    takes = "" if action.nargs == 0 else " " + str(action.metavar or action.dest.upper())
    return ", ".join(flag + takes for flag in action.option_strings)


def contract_file() -> Parts:
    """Every key of a contract file, by its JSON Schema."""
    yield from _keys(json.loads(schema.shipped_schema()), "")


def _keys(record: dict[str, Any], prefix: str) -> Parts:
    for name, key in record.get("properties", {}).items():
        needed = " Needed." if name in record.get("required", ()) else ""
        yield from entry("contract-key", prefix + name, key["description"] + needed)
        for inner in [key, *key.get("anyOf", ()), key.get("items", {})]:
            yield from _keys(inner, f"{prefix}{name}{'[]' if inner is key.get('items') else ''}.")


def _described(kind: str, name: str, function: Callable[..., Any]) -> Parts:
    yield from entry(kind, name + _signature(function), *_documented(function))


class _Bare(str):
    """An annotation without quotes, though it is kept as text."""

    def __repr__(self) -> str:
        return str(self)


def _signature(function: Callable[..., Any]) -> str:
    signature = inspect.signature(function)
    kept = [
        each.replace(annotation=_Bare(each.annotation) if isinstance(each.annotation, str) else each.annotation)
        for each in signature.parameters.values()
        if each.name != "self"
    ]
    return str(signature.replace(parameters=kept, return_annotation=inspect.Signature.empty))


def _documented(thing: Any) -> Lines:
    text, _, sections = (inspect.getdoc(thing) or "").partition("\n\nArgs:")
    text, _, _ = text.partition("\n\nReturns:")
    yield from re.sub(r"``", "`", text).partition("\n\nRaises:")[0].splitlines()
    if sections:
        yield ""
        yield from _arguments("Args:" + sections)


def _arguments(document: str, known: Container[str] | None = None) -> Lines:
    """The section `Args:` as a list, of those that are known."""
    section = document.partition("Args:\n")[2].partition("\n\n")[0]
    wanted = True
    for line in inspect.cleandoc(section).splitlines():
        named = re.match(r"(\w+): (.*)", line)
        wanted = wanted if not named else known is None or named[1] in known
        if wanted:
            yield f"- `{named[1]}`: {named[2]}" if named else f"  {line.strip()}"
    yield ""


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "`", "!")) else text + "."


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"`{value}`" if value or value == 0 else "none"


GENERATORS: dict[str, Callable[[], Parts]] = {
    "options": options,
    "fixtures": all_fixtures,
    "markers": markers,
    "checks": checks,
    "api": api,
    "commands": commands,
    "contract-file": contract_file,
}


def directives(name: str) -> Lines:
    """A part of the reference for Sphinx."""
    for part in GENERATORS[name]():
        if isinstance(part, str):
            yield part
        else:
            # Fenced so that the body may hold fences.
            yield from (f"`````{{{part.kind}}} {part.name}", *part.body, "`````", "")


_TABLES = {"option": "option", "contract-key": "key", "py:data": "name"}
"""The kinds that have one line each, and the head of their column."""


def markdown(name: str) -> Lines:
    """A part of the reference for people: tables, and a heading for what has more to say."""
    for kind, parts in groupby(GENERATORS[name](), lambda part: "" if isinstance(part, str) else part.kind):
        if not kind:
            yield from _without_fences(str(part) for part in parts)
        elif kind in _TABLES:
            yield from (f"| {_TABLES[kind]} | what it means |", "|---|---|", *map(_row, parts), "")
        elif kind != "program":
            for part in parts:
                yield from _headed(part)


def _row(entry: Entry) -> str:
    meaning = " ".join(filter(None, entry.body)).replace("|", "\\|")
    return f"| `{entry.name.replace('|', chr(92) + '|')}` | {_escaped(meaning)} |"


def _headed(entry: Entry) -> Lines:
    heading, bracket, _ = entry.name.removesuffix("()").partition("(")
    yield from (f"### {heading if bracket else entry.name}", "")
    if bracket:
        yield from (f"`{entry.name}`", "")
    yield from map(_escaped, _without_fences(entry.body))
    if entry.body and entry.body[-1]:
        yield ""


def _without_fences(lines: Iterable[str]) -> Lines:
    """Code moved to the right in place of fences: those of the pages are run by tests."""
    inside = False
    for line in lines:
        if line.startswith("```"):
            inside = not inside
        else:
            yield f"    {line}".rstrip() if inside else line


def _escaped(line: str) -> str:
    """A line in which `<` outside of code is not read as markup."""
    return re.sub(r"(`[^`]*`)|<", lambda found: found[1] or "&lt;", line)


def rewritten(page: str) -> str:
    """A page with what is made from the code as the code is now."""

    def made(found: re.Match[str]) -> str:
        return f"<!-- made from the code: {found[1]} -->\n\n{_joined(markdown(found[1]))}\n\n<!-- end -->"

    return MADE.sub(made, page)


def _joined(lines: Lines) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def for_the_site(page: str) -> str:
    """A page with directives in the place of what is made from the code."""
    return MADE.sub(lambda found: f"```{{wml-reference}} {found[1]}\n```", page)


if __name__ == "__main__":
    for path in sorted(PAGES.glob("*.md")):
        path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
