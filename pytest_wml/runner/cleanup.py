"""The end of a live run: what it created and did not delete is deleted now, whoever created it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_wml.config.values import Mode
from pytest_wml.errors import WMLTestError
from pytest_wml.interception.request_log import Requester

if TYPE_CHECKING:
    from pytest_wml.live.leftovers import Left
    from pytest_wml.live.resource_journal import Owed
    from pytest_wml.live.resource_names import Mark
    from pytest_wml.runner.run import Run

_ASKER = Requester("session", "", "the end of the run")


class LeftBehind(WMLTestError):
    """Something that a live run created could not be deleted."""


def clean_up(run: Run) -> None:
    """Delete what the journals of a live run owe, also those of xdist workers that crashed.

    What could not be deleted is told as a failure of the run; its journals stay, for `pytest-wml sweep`.
    """
    if run.configuration.mode is not Mode.LIVE or run.live.processes.is_worker:
        return
    from pytest_wml.live.resource_journal import told

    for journals in told(run.live.processes.journals, run.live.processes.mark.run):
        owed = [one for one in journals.owed if one not in run.live.undeletable]
        problems = list(_settle(run, owed)) if owed else []
        if problems:
            run.live.undeletable.update(owed)
            run.results.errors.append(
                LeftBehind(
                    "What this run created is still in the deployment space.",
                    left="\n".join(problems),
                    fix="pytest-wml sweep lists it, pytest-wml sweep --yes deletes it",
                )
            )
            continue
        for one in owed:
            if not one.id:
                run.live.processes.journal.looked_for(one.name)
    run.live.forgotten = list(_forgotten(run))


def _forgotten(run: Run) -> Iterator[str]:
    """Yield what other runs of this machine left in the same space when they were killed."""
    from pytest_wml.live.resource_journal import is_alive, told

    place, here = run.live.processes.journals, run.configuration.usable_credentials
    for journals in told(place):
        same = here is not None and (journals.url, journals.space) == (here.url, here.space_id)
        other = journals.run != run.live.processes.mark.run and journals.is_of_here
        if journals.owed and same and other and not is_alive(place, journals.run):
            yield ", ".join(f"{one.kind} {one.name}" for one in journals.owed)


def _settle(run: Run, owed: list[Owed]) -> Iterator[str]:
    """Yield what cannot be deleted, and why."""
    from pytest_wml.live import leftovers
    from pytest_wml.runner import supply

    elsewhere = [one for one in owed if not _is_reached(run, one)]
    yield from (f"{one.kind} {one.name} {one.id}: it is at {one.host}, and not where WML_URL is" for one in elsewhere)
    owed = [one for one in owed if one not in elsewhere]
    if not owed:
        return
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(run.request_log.requests_of(_ASKER, cleanup=True))
            stack.enter_context(run.app.account.owned.as_it_is())
            client = stack.enter_context(supply.client(run))
            askers = {one.name: one.asker for one in owed}
            for space, there in _by_space(run, owed):
                if space != client.default_space_id:
                    client.set.default_space(space)
                for left in leftovers.in_order(_found(client, there, run.live.processes.mark)):
                    yield from _deleted(run, client, left, askers.get(left.name, ""))
    except WMLTestError as error:
        yield from (f"{one.kind} {one.name} {one.id}: {error.problem}" for one in owed)
    # IBM's client raises what it likes.
    except Exception as error:  # noqa: BLE001
        yield from (f"{one.kind} {one.name} {one.id}: {_reason(error)}" for one in owed)
    finally:
        run.request_log.take_failures(_ASKER)  # each is told above


def _is_reached(run: Run, one: Owed) -> bool:
    """Whether something is at the service of the run's credentials: a test may have a client of its own for another."""
    here = run.configuration.usable_credentials
    if here is None or one.kind == "space":  # spaces are at a host of their own
        return here is not None
    return one.host.lower() in ("", urlsplit(here.url).netloc.lower().removesuffix(":443"))


def _by_space(run: Run, owed: list[Owed]) -> list[tuple[str, list[Owed]]]:
    """What is owed by the space that it is in; spaces themselves come last, with what is in the run's own."""
    own = run.configuration.credentials.space_id
    by_space: dict[str, list[Owed]] = {}
    for one in owed:
        by_space.setdefault(one.space if one.space and one.kind != "space" else own, []).append(one)
    return sorted(by_space.items(), key=lambda pair: pair[0] == own)


def _found(client: Any, owed: list[Owed], mark: Mark) -> Iterator[Left]:
    """Yield what is owed and there: by its id, whatever its name, and where no answer came by the run's mark."""
    from pytest_wml.live.leftovers import Left, listed

    known = [one for one in owed if one.id]
    yield from (Left(one.kind, one.id, one.name, mark) for one in known)
    if len(known) < len(owed):
        ids = {one.id for one in known}
        yield from (left for left in listed(client) if left.id not in ids and left.mark.run == mark.run)


def _deleted(run: Run, client: Any, left: Left, asker: str) -> Iterator[str]:
    from pytest_wml.live import leftovers
    from pytest_wml.live.resource_names import parted

    try:
        leftovers.remove(client, left.kind, left.id)
    # IBM's client raises what it likes.
    except Exception as error:  # noqa: BLE001
        yield f"{left}: {_reason(error)}"
    else:
        run.live.deleted.append(f"{left.kind} {parted(left.name)[0]}" + (f" (created by {asker})" if asker else ""))


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
