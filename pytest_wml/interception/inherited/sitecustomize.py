"""First in PYTHONPATH of a test run's children: brings the guard, then whatever `sitecustomize` was there before."""

# Any Python may be started with this folder on its path, and each pays for what stands here: it is short, and
# nothing in it may fail. The guard itself is loaded with the first connection.
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

# The child's own path is what it would be without us.
sys.path[:] = [_entry for _entry in sys.path if _entry != _here]
_ours = sys.modules.pop("sitecustomize", None)
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - the next one
except ImportError as _error:
    if getattr(_error, "name", None) != "sitecustomize":
        raise
finally:
    if _ours is not None:
        sys.modules.setdefault("sitecustomize", _ours)
