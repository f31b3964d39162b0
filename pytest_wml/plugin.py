"""What pytest loads: hooks and fixtures, read as Python reads any module.

pytest takes the modules of a plugin's package for helpers of tests and rewrites their assertions: it compiles each,
where it can write beside it once, else in every run, and reads what it has compiled object by object. Nothing here
asserts for a test. `PYTEST_DONT_REWRITE` in a docstring would spare the assertions, but none of that. Where pytest's
hook has changed, modules are rewritten as ever.
"""

from __future__ import annotations

import sys


def _keep_from_rewriting(package: str) -> None:
    for finder in sys.meta_path:
        marked, known = (getattr(finder, name, None) for name in ("_must_rewrite", "_marked_for_rewrite_cache"))
        if isinstance(marked, set) and isinstance(known, dict):
            marked.discard(package)
            known.clear()


_keep_from_rewriting("pytest_wml")

# After that: these would be rewritten too.
from pytest_wml.runner.fixtures import *  # noqa: E402, F403
from pytest_wml.runner.hooks import *  # noqa: E402, F403
