"""Detects unknown names that look like options: keys of the ini file, environment variables.

Without this check, an unknown key is only a warning of pytest and an unknown variable is ignored: the run would then
use other settings than intended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_wml.config import option_table, similar_names
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
"""Frequent wrong keys for the mode."""
_CREDENTIALS = (
    "the variable {variable} or a credentials file (wml_credentials); an ini file must not contain credentials"
)


def ini_keys(config: pytest.Config, *, without_conftests: bool = False) -> BadOption | None:
    """The error for ini keys of this package that no plugin or conftest declares; None if there are none.

    Args:
        config: pytest's configuration, with every plugin and the first conftests loaded.
        without_conftests: whether conftests are not loaded; as their keys are unknown, only mistyped keys are errors.
    """
    is_suspect = _is_slip if without_conftests else _has_prefix
    unknown = [key for key in sorted(option_table.ini_keys(config)) if is_suspect(key) and not _declared(config, key)]
    if not unknown:
        return None
    in_file = config.inipath is not None and not set(unknown) <= option_table.overridden(config)
    where = config.inipath.name if config.inipath is not None and in_file else "-o"
    plural = len(unknown) > 1
    return BadOption(
        f"{where} has {'keys' if plural else 'a key'} unknown to pytest-wml: {', '.join(unknown)}.",
        did_you_mean=", ".join(filter(None, map(_suggestion, unknown))),
        looked_at=config.inipath if in_file else "",
        fix=f"correct {'them' if plural else 'it'}; pytest --help lists the keys that start with wml_",
    )


def variables(environ: Mapping[str, str]) -> BadOption | None:
    """The error for a mistyped environment variable; None if there is none.

    Other programs use the prefix WML_ too, such as IBM's WML_CLIENT_VERIFY_REQUESTS. Names that are not similar to a
    variable of this package are ignored.
    """
    for name in option_table.stray_variables(environ):
        suggestion = _intended_name(name, environ[name])
        if suggestion:
            return BadOption(
                f"The variable {name} is set, but pytest-wml has no option or credential of this name.",
                did_you_mean=suggestion,
                fix=f"rename it to {suggestion}; if it belongs to another program, unset it for this run: "
                f"env -u {name} pytest",
            )
    return None


def _has_prefix(key: str) -> bool:
    form = key.lower().replace("-", "_")
    return form == "wml" or form.startswith("wml_") or _is_slip(key)


def _is_slip(key: str) -> bool:
    return key not in option_table.KEYS and any(similar_names.is_slip(key, option.ini) for option in option_table.TABLE)


def _declared(config: pytest.Config, key: str) -> bool:
    try:
        config.getini(key)
    except ValueError:
        return False
    except Exception:  # noqa: BLE001 - the key is declared, but its value is invalid
        return True
    return True


def _suggestion(key: str) -> str:
    form = key.lower().replace("-", "_")
    known = [option.ini for option in option_table.TABLE]
    if form in _HINTS:
        return _HINTS[form]
    if form.upper() in option_table.FAMILIES[0] and form not in known:
        return _CREDENTIALS.format(variable=form.upper())
    return similar_names.closest(key, known)


def _intended_name(name: str, value: str) -> str:
    if not value:  # CI systems set undefined variables to an empty text
        return ""
    if name == "WML":
        return "WML_MODE" if value.strip().lower() in {mode.value for mode in Mode} else ""
    if not name.upper().startswith(_PREFIX):
        return ""
    word = name[len(_PREFIX) :]
    slips = [known for known in option_table.VARIABLES if similar_names.is_slip(word, known[len(_PREFIX) :])]
    return similar_names.closest(name, slips)
