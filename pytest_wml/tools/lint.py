"""`pytest-wml lint`: checks a model for problems before it is uploaded."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_wml.errors import BadOption

if TYPE_CHECKING:
    from pytest_wml.model.lint.specification import LintTarget


def add_to(commands: Any) -> None:
    """Declare the command."""
    lint = commands.add_parser(
        "lint",
        help="check model archives before they are deployed",
        description="Find what the service would refuse in a model, or warn about, by reading its files. No code of\n"
        "the model is run, and TensorFlow is not needed.",
        epilog="example: pytest-wml lint model.tar.gz --spec runtime-24.1-py3.11 --strict\n\n"
        "exit status: 0 no errors, 1 errors were found (with --strict: or warnings), 2 there is no readable model",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    lint.add_argument(
        "archives",
        nargs="*",
        metavar="ARCHIVE",
        help=".tar.gz, .zip, model folder or model file; default: the suite's models (wml_model, wml_deployments)",
    )
    lint.add_argument(
        "--spec", default="", metavar="NAME", help="software specification; default: the suite's, else inferred"
    )
    lint.add_argument(
        "--type", default="", metavar="TYPE", help="type of the model; default: the suite's, else inferred"
    )
    lint.add_argument("--strict", action="store_true", help="exit with status 1 for warnings too")
    lint.add_argument("--json", action="store_true", help="print JSON")
    lint.set_defaults(run=_lint)


def _lint(given: argparse.Namespace) -> int:
    from pytest_wml.model.lint.findings import LintLevel
    from pytest_wml.model.lint.linter import lint
    from pytest_wml.model.lint.report import lines

    targets = dict(_targets(given))
    found = {archive: lint(archive, target) for archive, target in targets.items()}
    if given.json:
        document = [{"archive": name, "findings": [each.as_json() for each in every]} for name, every in found.items()]
        print(json.dumps(document, indent=1))
    else:
        for archive, every in found.items():
            print(f"{archive}: {targets[archive].model_type}, {targets[archive].spec_name}")
            for line in lines(every):
                print(f"  {line}")
    bad = {LintLevel.ERROR, LintLevel.WARN} if given.strict else {LintLevel.ERROR}
    return 1 if any(finding.level in bad for every in found.values() for finding in every) else 0


def _targets(given: argparse.Namespace) -> Iterator[tuple[str, LintTarget]]:
    """Yield each archive with its model type and software specification."""
    from pytest_wml.model.lint.specification import LintTarget
    from pytest_wml.model.storing import inferred
    from pytest_wml.tools.doctor import settings

    suite = settings.Suite() if given.archives and given.type and given.spec else settings.read()
    if not given.archives:
        settings.started(suite)
    suite_plans = {path.resolve(): plan for path, plan in suite.files.items()}
    names = given.archives or [settings.shown(path) for path in suite.files]
    for name in names:
        chosen = suite_plans.get(Path(name).resolve()) or settings.unnamed(suite)
        yield name, LintTarget(*inferred(name, given.type or chosen.model_type, given.spec or chosen.software_spec))
    if not names:
        raise BadOption(
            "Neither the command nor the suite names a model.",
            fix="pytest-wml lint ARCHIVE, or set wml_model in the ini",
        )
