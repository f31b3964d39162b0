"""Unknown names that look like an option's: keys of the ini file, environment variables.

pytest warns of an unknown key, and nobody of an unknown variable: the run then tests something else than was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_wml.config import similar_names, table
from pytest_wml.config.values import Mode
from pytest_wml.errors import BadOption

if TYPE_CHECKING:
    import pytest

_PREFIX = "WML_"
_HINTS = {
    "wml": "wml_mode",
    "wml_live": "wml_mode = live",
    "wml_embedded": "wml_mode = embedded",
    "wml_replay": "wml_mode = replay",
}
"""What is often written for the mode."""
_CREDENTIALS = "credentials stand in the environment ({variable}) or in a file (wml_credentials), never in an ini file"


def ini_keys(config: pytest.Config, *, without_conftests: bool = False) -> BadOption | None:
    """The error for the keys of ours that neither we nor another plugin or conftest know; None where there are none.

    Args:
        config: pytest's, with every plugin and the first conftests loaded.
        without_conftests: no conftest is loaded, so that its keys are not known: only slips of typing are errors.
    """
    is_ours = _is_slip if without_conftests else _is_ours
    unknown = [key for key in sorted(table.ini_keys(config)) if is_ours(key) and not _declared(config, key)]
    if not unknown:
        return None
    in_file = config.inipath is not None and not set(unknown) <= table.overridden(config)
    where = config.inipath.name if config.inipath is not None and in_file else "-o"
    plural = len(unknown) > 1
    return BadOption(
        f"{where} has {'keys' if plural else 'a key'} that pytest-wml does not know: {', '.join(unknown)}.",
        did_you_mean=", ".join(filter(None, map(_meant, unknown))),
        looked_at=config.inipath if in_file else "",
        fix=f"correct {'them' if plural else 'it'}; pytest --help lists the keys that start with wml_",
    )


def variables(environ: Mapping[str, str]) -> BadOption | None:
    """The error for a variable whose name is one of ours with a slip of typing; None where there is none.

    The prefix WML_ belongs to others too, as IBM's WML_CLIENT_VERIFY_REQUESTS: names that resemble none of ours are
    left alone.
    """
    for name in table.stray_variables(environ):
        meant = _mistyped(name, environ[name])
        if meant:
            return BadOption(
                f"The variable {name} is set, and pytest-wml has no option or credential of this name.",
                did_you_mean=meant,
                fix=f"rename it to {meant}; where it belongs to another program, unset it for this run: "
                f"env -u {name} pytest",
            )
    return None


def _is_ours(key: str) -> bool:
    form = key.lower().replace("-", "_")
    return form == "wml" or form.startswith("wml_") or _is_slip(key)


def _is_slip(key: str) -> bool:
    return key not in table.KEYS and any(similar_names.is_slip(key, option.ini) for option in table.TABLE)


def _declared(config: pytest.Config, key: str) -> bool:
    try:
        config.getini(key)
    except ValueError:
        return False
    except Exception:  # noqa: BLE001 - a value that its owner does not accept
        return True
    return True


def _meant(key: str) -> str:
    form = key.lower().replace("-", "_")
    known = [option.ini for option in table.TABLE]
    if form in _HINTS:
        return _HINTS[form]
    if form.upper() in table.FAMILIES[0] and form not in known:
        return _CREDENTIALS.format(variable=form.upper())
    return similar_names.closest(key, known)


def _mistyped(name: str, value: str) -> str:
    if not value:  # how CI systems say "not set"
        return ""
    if name == "WML":
        return "WML_MODE" if value.strip().lower() in {mode.value for mode in Mode} else ""
    if not name.upper().startswith(_PREFIX):
        return ""
    word = name[len(_PREFIX) :]
    slips = [known for known in table.VARIABLES if similar_names.is_slip(word, known[len(_PREFIX) :])]
    return similar_names.closest(name, slips)
