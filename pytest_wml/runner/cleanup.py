"""Deletes at the end of a live run the resources that it created and did not delete."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_wml.config.values import Mode
from pytest_wml.errors import WMLTestError
from pytest_wml.interception.request_log import Requester

if TYPE_CHECKING:
    from pytest_wml.live.leftovers import MarkedResource
    from pytest_wml.live.resource_journal import UndeletedResource
    from pytest_wml.live.resource_names import Mark
    from pytest_wml.runner.configuration import Configuration
    from pytest_wml.runner.live_account import LiveAccount
    from pytest_wml.runner.run import Run

_REQUESTER = Requester("session", "", "the end of the run")


class LeftBehind(WMLTestError):
    """A resource that a live run created could not be deleted."""


def clean_up(run: Run) -> None:
    """Delete the remaining resources in the journals of a live run, also those of xdist workers that crashed.

    A resource that cannot be deleted fails the run; its journals stay, for `pytest-wml sweep`.
    """
    if run.configuration.mode is not Mode.LIVE or run.live.processes.is_worker:
        return
    from pytest_wml.live.resource_journal import journaled_runs

    for journals in journaled_runs(run.live.processes.journals, run.live.processes.mark.run):
        owed = [one for one in journals.owed if one not in run.live.undeletable]
        problems = list(_delete_all(run, owed)) if owed else []
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
    run.live.of_killed_runs = list(_of_killed_runs(run.live, run.configuration))


def _of_killed_runs(live: LiveAccount, configuration: Configuration) -> Iterator[str]:
    """Yield the resources in the same space that other, killed runs of this machine left."""
    from pytest_wml.live.resource_journal import is_alive, journaled_runs

    place, credentials = live.processes.journals, configuration.usable_credentials
    for journals in journaled_runs(place):
        here = credentials is not None and (journals.url, journals.space) == (credentials.url, credentials.space_id)
        other = journals.run != live.processes.mark.run and journals.is_of_here
        if journals.owed and here and other and not is_alive(place, journals.run):
            yield ", ".join(f"{one.kind} {one.name}" for one in journals.owed)


def _delete_all(run: Run, owed: list[UndeletedResource]) -> Iterator[str]:
    """Delete resources; yield each that cannot be deleted, with the reason."""
    from pytest_wml.live import leftovers
    from pytest_wml.runner import fixture_values

    elsewhere = [one for one in owed if not _is_here(run.configuration, one)]
    yield from (f"{one.kind} {one.name} {one.id}: it is at {one.host}, not at WML_URL" for one in elsewhere)
    owed = [one for one in owed if one not in elsewhere]
    if not owed:
        return
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(run.request_log.requests_of(_REQUESTER, cleanup=True))
            stack.enter_context(run.app.account.owned.as_it_is())
            client = stack.enter_context(fixture_values.client(run))
            requesters = {one.name: one.asker for one in owed}
            for space, in_space in _by_space(run.configuration, owed):
                if space != client.default_space_id:
                    client.set.default_space(space)
                for left in leftovers.in_order(_existing(client, in_space, run.live.processes.mark)):
                    yield from _delete(run.live, client, left, requesters.get(left.name, ""))
    except WMLTestError as error:
        yield from (f"{one.kind} {one.name} {one.id}: {error.problem}" for one in owed)
    # IBM's client raises exceptions of many classes.
    except Exception as error:  # noqa: BLE001
        yield from (f"{one.kind} {one.name} {one.id}: {_reason(error)}" for one in owed)
    finally:
        run.request_log.take_failures(_REQUESTER)  # the lines above contain them


def _is_here(configuration: Configuration, one: UndeletedResource) -> bool:
    """Whether a resource is at the service of the run's credentials; a test may use a client for another service."""
    credentials = configuration.usable_credentials
    if credentials is None or one.kind == "space":  # spaces are at another host
        return credentials is not None
    return one.host.lower() in ("", urlsplit(credentials.url).netloc.lower().removesuffix(":443"))


def _by_space(configuration: Configuration, owed: list[UndeletedResource]) -> list[tuple[str, list[UndeletedResource]]]:
    """The resources by space; the last group contains those of the run's own space, and the spaces themselves."""
    own = configuration.credentials.space_id
    by_space: dict[str, list[UndeletedResource]] = {}
    for one in owed:
        by_space.setdefault(one.space if one.space and one.kind != "space" else own, []).append(one)
    return sorted(by_space.items(), key=lambda pair: pair[0] == own)


def _existing(client: Any, owed: list[UndeletedResource], mark: Mark) -> Iterator[MarkedResource]:
    """Yield the resources that exist: by their ids, and by the run's mark if the service did not answer with an id."""
    from pytest_wml.live.leftovers import MarkedResource, listed

    known = [one for one in owed if one.id]
    yield from (MarkedResource(one.kind, one.id, one.name, mark) for one in known)
    if len(known) < len(owed):
        ids = {one.id for one in known}
        yield from (left for left in listed(client) if left.id not in ids and left.mark.run == mark.run)


def _delete(live: LiveAccount, client: Any, left: MarkedResource, requester: str) -> Iterator[str]:
    """Delete a resource; yield the reason if that fails."""
    from pytest_wml.live import leftovers
    from pytest_wml.live.resource_names import parted

    try:
        leftovers.remove(client, left.kind, left.id)
    # IBM's client raises exceptions of many classes.
    except Exception as error:  # noqa: BLE001
        yield f"{left}: {_reason(error)}"
    else:
        created_by = f" (created by {requester})" if requester else ""
        live.deleted.append(f"{left.kind} {parted(left.name)[0]}{created_by}")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
