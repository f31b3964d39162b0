"""Writes what the processes of a run recorded as cassettes, after the tests of each cassette have passed."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pytest_wml.config.json_paths import parsed
from pytest_wml.redaction.known import Secrets
from pytest_wml.replay.cassette.continuation import continued
from pytest_wml.replay.cassette.file import BadCassette, Cassette, dump, load, write
from pytest_wml.replay.cassette.merge import merged
from pytest_wml.replay.cassette.normalise import Known, learned, normalised
from pytest_wml.replay.cassette.suite_part import SuitePart
from pytest_wml.replay.cassette.tape import ArchiveContent, WireExchange
from pytest_wml.replay.cassette.varying import Varying, ignored_in


class Reference(NamedTuple):
    """The reference classes that the check `drift` recorded.

    Args:
        cassette: name of the cassette whose tests must pass too.
        test: node id of the test that recorded it.
        text: content of the file.
        change: description of the difference from the previous file.
    """

    cassette: str
    test: str
    text: str
    change: str


@dataclass
class Shard:
    """The recording of one process.

    Args:
        tapes: cassette name → recorded exchanges; the empty name for requests that all cassettes share.
        users: cassette name → tests that sent requests recorded in it.
        claims: cassette name → fixtures that record in it, or `tests`.
        models: cassette name → model of a deployment that this run did not upload.
        references: file name → reference of the check `drift`.
        failed: node ids of failed tests.
        secrets: of the run; they are never written to a file.
        aliases: ids of the user → ids in recordings.
        varying: permitted differences between runs.
    """

    tapes: Mapping[str, list[WireExchange]] = field(default_factory=dict)
    users: Mapping[str, set[str]] = field(default_factory=dict)
    claims: Mapping[str, set[str]] = field(default_factory=dict)
    models: Mapping[str, ArchiveContent] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    secrets: frozenset[str] = field(default_factory=frozenset, repr=False)
    aliases: Mapping[str, str] = field(default_factory=dict)
    varying: Varying = field(default_factory=Varying)

    @cached_property
    def known(self) -> Known:
        """The replacements of ids and names that were created in this process, for all cassettes."""
        replacements = Known({}, {})
        for name, tape in self.tapes.items():
            if name:
                own = learned(tape, name, self.aliases, self.varying)
                replacements.ids.update(own.ids)
                replacements.values.update(own.values)
        return replacements

    def as_json(self) -> dict[str, Any]:
        """JSON to send from an xdist worker to the controller."""
        return {
            "tapes": {name: [taped.as_json() for taped in tape] for name, tape in self.tapes.items()},
            "users": {name: sorted(tests) for name, tests in self.users.items()},
            "claims": {name: sorted(claims) for name, claims in self.claims.items()},
            "models": {name: model.as_json() for name, model in self.models.items()},
            "references": dict(self.references),
            "failed": sorted(self.failed),
            "secrets": sorted(self.secrets),
            "aliases": dict(self.aliases),
            "ignored": [path.text for path in self.varying.ignored],
            "words": sorted(self.varying.words),
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Shard:
        return cls(
            tapes={name: [WireExchange.from_json(taped) for taped in tape] for name, tape in form["tapes"].items()},
            users={name: set(tests) for name, tests in form["users"].items()},
            claims={name: set(claims) for name, claims in form["claims"].items()},
            models={name: ArchiveContent(**model) for name, model in form["models"].items()},
            references={name: Reference(*reference) for name, reference in form["references"].items()},
            failed=set(form["failed"]),
            secrets=frozenset(form["secrets"]),
            aliases=form["aliases"],
            varying=Varying(parsed("\n".join(form["ignored"])), frozenset(form["words"])),
        )


@dataclass(frozen=True)
class WriteResult:
    """The result of writing one file.

    Args:
        path: of the file.
        written: whether it was written.
        text: the result, or the reason why it was not written.
        error: whether the run must fail.
    """

    path: Path
    written: bool
    text: str
    error: bool = False


def save(
    shards: Iterable[Shard],
    folder: Path,
    facts: Mapping[str, Any],
    *,
    part: SuitePart,
    today: datetime.date,
    max_age: int = 0,
) -> Iterator[WriteResult]:
    """Write the cassettes of a run; yield the result for each.

    Args:
        shards: the recordings of all processes.
        folder: the folder of the cassettes.
        facts: metadata of every cassette: recorded_from, client.
        part: the executed part of the suite; interactions of tests that did not run are kept.
        today: the date of the recording.
        max_age: days after which a recording is too old; 0 for never.
    """
    shards = list(shards)
    secrets = Secrets()
    for shard in shards:
        secrets.add(*shard.secrets)
    failed = set().union(*(shard.failed for shard in shards)) if shards else set()
    for name in sorted({name for shard in shards for name, tape in shard.tapes.items() if name and tape}):
        path = folder / f"{name}.yaml"
        used = set().union(*(shard.users.get(name, set()) for shard in shards))
        if used & failed:
            first = min(used & failed)
            yield WriteResult(path, False, f"not written: {first} failed")
            continue
        try:
            _check_claims(name, set().union(*(shard.claims.get(name, set()) for shard in shards)))
            cassette = _cassette(shards, name, facts, today)
            old = _previous(path, part)
            if old is not None:
                cassette = continued(cassette, old, part, max_age)
            yield _write(path, cassette, secrets)
        except BadCassette as error:
            yield WriteResult(path, False, str(error), error=True)
        except OSError as error:
            yield WriteResult(path, False, f"not written: {error.strerror} ({path})", error=True)
    yield from _references(shards, folder, failed)


def _references(shards: Iterable[Shard], folder: Path, failed: Collection[str]) -> Iterator[WriteResult]:
    """Write the references of the check `drift`, each only if the tests of its deployment passed."""
    for file, reference in sorted({file: one for shard in shards for file, one in shard.references.items()}.items()):
        used = set().union(*(shard.users.get(reference.cassette, set()) for shard in shards)) | {reference.test}
        failed_users = sorted(used.intersection(failed))
        if failed_users:
            yield WriteResult(folder / file, False, f"not written: {failed_users[0]} failed")
            continue
        try:
            write(folder / file, reference.text)
            yield WriteResult(folder / file, True, f"written: {reference.change}")
        except OSError as error:
            yield WriteResult(folder / file, False, f"not written: {error.strerror}", error=True)


def _check_claims(name: str, claims: set[str]) -> None:
    if len(claims) > 1:
        raise BadCassette(
            f"Cassette {name} was not written: two deployments have one name.",
            recorded_by=", ".join(sorted(claims)),
            fix="rename one of the fixtures, or set wml_name, or @pytest.mark.wml(cassette=…)",
        )


def _cassette(shards: list[Shard], name: str, facts: Mapping[str, Any], today: datetime.date) -> Cassette:
    parts = [
        normalised([*shard.tapes.get("", ()), *shard.tapes[name]], name, shard.aliases, shard.known, shard.varying)
        for shard in shards
        if shard.tapes.get(name)
    ]
    interactions = merged(parts)
    metadata = {**facts, "recorded_at": today.isoformat()}
    if ignored := ignored_in(
        (one.body for one in interactions), [path for shard in shards for path in shard.varying.ignored]
    ):
        metadata["ignored"] = ignored
    known = next((shard.models[name] for shard in shards if name in shard.models), None)
    model = known or next((one.body for one in interactions if isinstance(one.body, ArchiveContent)), None)
    if model is not None:
        metadata["model"] = {
            "digest": model.model,
            "basis": model.basis,
            "archive": model.archive,
            "signature": model.signature,
        }
    return Cassette(name, metadata, interactions)


def _previous(path: Path, part: SuitePart) -> Cassette | None:
    """The existing cassette; None if there is none, or if a complete run replaces a damaged file.

    Raises:
        BadCassette: the file is damaged, and a part of it would have to be kept.
    """
    if not path.exists():
        return None
    try:
        return load(path)
    except BadCassette:
        if part is SuitePart.ALL:
            return None
        raise


def _write(path: Path, cassette: Cassette, secrets: Secrets) -> WriteResult:
    text = dump(cassette)
    found = secrets.found_in(text)
    if found:
        raise BadCassette(
            f"Cassette {cassette.name} was not written: it contains {found} of this run's secrets.",
            fix="find out which answer or payload repeats the secret; the service's own fields are redacted",
        )
    write(path, text)
    return WriteResult(path, True, f"written, {len(cassette.interactions)} interactions")
