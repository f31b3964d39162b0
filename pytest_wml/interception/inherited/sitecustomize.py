"""Installs the guard in a child process of a test run, then imports the child's own `sitecustomize`."""

# Any Python may start with this folder on its path, so this module is short and nothing in it may fail. The guard
# itself is loaded with the first connection.
import os
import sys

_here = os.path.dirname(__file__)
_guard = []  # type: ignore[var-annotated]


def _audit(event, args):  # type: ignore[no-untyped-def]
    if event[:7] not in ("socket.", "http.cl") or not os.environ.get("PYTEST_WML_GUARD"):
        return
    if not _guard:
        sys.path.insert(0, _here)
        try:
            import _pytest_wml_guard  # type: ignore[import-not-found]
        finally:
            sys.path.remove(_here)
        _guard.append(_pytest_wml_guard)
    _guard[0].check(event, args)


if os.environ.get("PYTEST_WML_GUARD") and hasattr(sys, "addaudithook"):
    sys.addaudithook(_audit)

# The child sees the path that it would have without the guard.
sys.path[:] = [_entry for _entry in sys.path if _entry != _here]
_this = sys.modules.pop("sitecustomize", None)
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - the next one
except ImportError as _error:
    if getattr(_error, "name", None) != "sitecustomize":
        raise
finally:
    if _this is not None:
        sys.modules.setdefault("sitecustomize", _this)
