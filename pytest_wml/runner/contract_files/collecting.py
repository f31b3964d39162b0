"""Contract files in pytest: a collector, and one test a promise.

The tests are functions of a module that is made for the file, so that pytest's own machinery gives them fixtures,
parameters, markers and everything that other plugins do for tests.
"""

from __future__ import annotations

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
from pytest_wml.runner.contract_files.homes import home, recording
from pytest_wml.runner.deployment_choice import OF_FILE
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.contract import Contract


def collected(run: Run, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The collector of a contract file; None for a recording, whatever it is called."""
    if path.parent == run.configuration.cassettes:
        return None
    made: ContractFile = ContractFile.from_parent(parent, path=path)
    return made


class ContractFile(pytest.Module):
    """A contract file, which is read when its tests are collected."""

    def _getobj(self) -> ModuleType:
        run, written = activate(self.config), load(self.path)
        self.stash[OF_FILE] = home(run, written)
        module = ModuleType(self.path.name, f"The promises of {self.path.name}.")
        module.__file__ = str(self.path)
        marks = [*self._marks(written), pytest.mark.wml(cassette=recording(run, self.stash[OF_FILE]))]
        for promise in promises(written):
            test = _test(self.path, promise)
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
        """Every function of the module that is made here is a test."""
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
        """What is wrong in the file; where it was noticed in Python helps nobody."""
        if isinstance(excinfo.value, WMLTestError):
            return error_reports.shown(str(excinfo.value), excinfo.value.problem, (str(self.path), 1))
        return super().repr_failure(excinfo)


class PromiseItem(pytest.Function):
    """One promise of a contract file."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A broken promise, without Python's traceback: there is no Python to look at."""
        from pytest_wml.contract import ContractBroken

        if isinstance(excinfo.value, ContractBroken):
            file, line, _ = self.location
            broken = str(excinfo.value)
            return error_reports.shown(broken, f"{ContractBroken.__name__}: {broken}", (file, (line or 0) + 1))
        return super().repr_failure(excinfo)


def _test(path: Path, promise: Promise) -> Callable[[Contract], None]:
    """A test function that, to whoever asks where it is, stands in the contract file."""
    # A lambda: its only line is the promise's.
    test = lambda wml_contract: promise.check(wml_contract)  # noqa: E731
    code = test.__code__.replace(co_filename=str(path), co_firstlineno=promise.line, co_name=promise.name)
    return FunctionType(code, test.__globals__, promise.name, None, test.__closure__)
