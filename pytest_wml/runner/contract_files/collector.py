"""Collects contract files: one test for each promise.

The tests are functions of a module that is generated for the file, so that pytest's fixtures, parameters and markers,
and other plugins, work as for any test function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml.contract.files.document import ContractDocument, load
from pytest_wml.contract.files.mistakes import Mistake, refused
from pytest_wml.contract.files.promises import Promise, promises
from pytest_wml.errors import WMLTestError
from pytest_wml.runner import error_reports
from pytest_wml.runner.activation import activate
from pytest_wml.runner.configuration import Configuration
from pytest_wml.runner.contract_files.deployments import deployment_name, recording_name
from pytest_wml.runner.deployment_choice import OF_FILE

if TYPE_CHECKING:
    from pytest_wml.contract import Contract


def collect_file(configuration: Configuration, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The collector of a contract file; None for a recording with such a name."""
    if path.parent == configuration.cassettes:
        return None
    collector: ContractFile = ContractFile.from_parent(parent, path=path)
    return collector


class ContractFile(pytest.Module):
    """The collector of a contract file, which reads the file when its tests are collected."""

    # Private by its name, but pytest documents that subclasses may override it. A public `obj` does not do: for
    # `collect_imported_tests = false` pytest asks this method for the module again, and would import the file.
    def _getobj(self) -> ModuleType:
        return self._module

    @functools.cached_property
    def _module(self) -> ModuleType:
        """A module that stands for the file, with a test function for each promise."""
        run, written = activate(self.config), load(self.path)
        self.stash[OF_FILE] = deployment_name(run, written)
        module = ModuleType(self.path.name, f"The promises of {self.path.name}.")
        module.__file__ = str(self.path)
        cassette = recording_name(run.configuration, self.stash[OF_FILE])
        marks = [*self._marks(written), pytest.mark.wml(cassette=cassette)]
        for promise in promises(written):
            test = _test(self.path, promise)
            test.__module__ = module.__name__
            for mark in marks:
                test = mark(test)
            setattr(module, promise.name, test)
        return module

    def _marks(self, written: ContractDocument) -> list[pytest.MarkDecorator]:
        try:
            return [getattr(pytest.mark, name) for name in written.top.values.get("markers", ())]
        except (pytest.fail.Exception, AttributeError) as error:
            place = written.top.places["markers"]
            raise refused(self.path.name, [Mistake(place, f"`markers`: {error}")]) from None

    def funcnamefilter(self, name: str) -> bool:
        """Every function of the generated module is a test."""
        return True

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        for test in super().collect():
            assert isinstance(test, pytest.Function)
            yield PromiseItem.from_parent(
                self,
                name=test.name,
                callspec=getattr(test, "callspec", None),
                callobj=test.obj,
                fixtureinfo=test._fixtureinfo,
                originalname=test.originalname,
            )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The error in the file, without Python's traceback."""
        if isinstance(excinfo.value, WMLTestError):
            return error_reports.representation(str(excinfo.value), excinfo.value.problem, (str(self.path), 1))
        return super().repr_failure(excinfo)


class PromiseItem(pytest.Function):
    """The test of a promise in a contract file."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The broken promise, without Python's traceback."""
        from pytest_wml.contract import ContractBroken

        if isinstance(excinfo.value, ContractBroken):
            file, line, _ = self.location
            broken = str(excinfo.value)
            return error_reports.representation(broken, f"{ContractBroken.__name__}: {broken}", (file, (line or 0) + 1))
        return super().repr_failure(excinfo)


def _test(path: Path, promise: Promise) -> Callable[[Contract], None]:
    """A test function whose source line is the promise's line in the contract file."""
    # A lambda has one line only.
    test = lambda wml_contract: promise.check(wml_contract)  # noqa: E731
    code = test.__code__.replace(co_filename=str(path), co_firstlineno=promise.line, co_name=promise.name)
    return FunctionType(code, test.__globals__, promise.name, None, test.__closure__)
