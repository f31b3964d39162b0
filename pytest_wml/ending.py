"""The end of a live run: what it created and did not delete is deleted now, whoever created it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_wml.errors import WMLTestError
from pytest_wml.ledger import Asker
from pytest_wml.table import Mode

if TYPE_CHECKING:
    from pytest_wml.journal import Owed
    from pytest_wml.leftovers import Left
    from pytest_wml.session import Run

_ASKER = Asker("session", "", "the end of the run")


class LeftBehind(WMLTestError):
    """Something that a live run created could not be deleted."""


def clean_up(run: Run) -> None:
    """Delete what the journals of a live run owe, also those of xdist workers that crashed.

    What could not be deleted is told as a failure of the run; its journals stay, for `pytest-wml sweep`.
    """
    if run.mode is not Mode.LIVE or run.together.is_worker or not run.knows_secrets:
        return
    from pytest_wml.journal import told

    for journals in told(run.together.journals, run.together.mark.run):
        owed = [one for one in journals.owed if one not in run.undeletable]
        problems = list(_settle(run, owed)) if owed else []
        if problems:
            run.undeletable.update(owed)
            run.leftover.append(
                LeftBehind(
                    "What this run created is still in the deployment space.",
                    left="\n".join(problems),
                    fix="pytest-wml sweep lists it, pytest-wml sweep --yes deletes it",
                )
            )
    run.forgotten = list(_forgotten(run))


def _forgotten(run: Run) -> Iterator[str]:
    """Yield what other runs of this machine left in the same space when they were killed."""
    from pytest_wml.journal import is_alive, told

    place, here = run.together.journals, run.found_credentials
    for journals in told(place):
        same = here is not None and (journals.url, journals.space) == (here.url, here.space_id)
        other = journals.run != run.together.mark.run and journals.is_of_here
        if journals.owed and same and other and not is_alive(place, journals.run):
            yield ", ".join(f"{one.kind} {one.name}" for one in journals.owed)


def _settle(run: Run, owed: list[Owed]) -> Iterator[str]:
    """Yield what cannot be deleted, and why."""
    from pytest_wml import leftovers, supply

    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(run.ledger.asking(_ASKER, ending=True))
            stack.enter_context(run.answering.account.owned.as_it_is())
            client = stack.enter_context(supply.client(run))
            found = [one for one in _found(client, owed) if one.mark.run == run.together.mark.run]
            askers = {one.name: one.asker for one in owed}
            for left in leftovers.in_order(found):
                yield from _deleted(run, client, left, askers.get(left.name, ""))
    except WMLTestError as error:
        yield from (f"{one.kind} {one.name} {one.id}: {error.problem}" for one in owed)
    # IBM's client raises what it likes.
    except Exception as error:  # noqa: BLE001
        yield from (f"{one.kind} {one.name} {one.id}: {_reason(error)}" for one in owed)
    finally:
        run.ledger.take_failures(_ASKER)  # each is told above


def _found(client: Any, owed: list[Owed]) -> Iterator[Left]:
    """Yield what is owed and there: by its id, and where no answer came by its name."""
    from pytest_wml.leftovers import Left, listed
    from pytest_wml.marks import parted

    known = [one for one in owed if one.id]
    for one in known:
        mark = parted(one.name)[1]
        if mark is not None:
            yield Left(one.kind, one.id, one.name, mark)
    if len(known) < len(owed):
        ids = {one.id for one in known}
        yield from (left for left in listed(client) if left.id not in ids)


def _deleted(run: Run, client: Any, left: Left, asker: str) -> Iterator[str]:
    from pytest_wml import leftovers
    from pytest_wml.marks import parted

    try:
        leftovers.remove(client, left.kind, left.id)
    # IBM's client raises what it likes.
    except Exception as error:  # noqa: BLE001
        yield f"{left}: {_reason(error)}"
    else:
        run.cleaned.append(f"{left.kind} {parted(left.name)[0]}" + (f" (created by {asker})" if asker else ""))


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
