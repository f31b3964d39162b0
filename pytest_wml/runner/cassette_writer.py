"""What a run recorded, from one process or several, written as cassettes once it ended well."""

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
    """The classes that the check `drift` will compare with.

    Args:
        cassette: with which it is written, or not.
        test: that recorded it.
        text: of the file.
        told: what is new about it.
    """

    cassette: str
    test: str
    text: str
    told: str


@dataclass
class Shard:
    """What one process recorded.

    Args:
        tapes: by cassette name; under the empty name what was asked on behalf of all.
        users: by cassette name, the tests that asked something of it.
        claims: by cassette name, the fixtures that record under it, or `tests`.
        models: by cassette name, the model of a deployment that was not uploaded in this run.
        references: by file name, what the check `drift` recorded.
        failed: the tests that failed.
        secrets: of the run; they travel in memory only.
        aliases: ids of whoever records → what stands for them.
        varying: what may differ between runs.
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
        """The stand-ins of what was created and named in this process, in all cassettes."""
        whole = Known({}, {})
        for name, tape in self.tapes.items():
            if name:
                found = learned(tape, name, self.aliases, self.varying)
                whole.ids.update(found.ids)
                whole.values.update(found.values)
        return whole

    def as_json(self) -> dict[str, Any]:
        """A form that travels from an xdist worker to the controller."""
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
class Outcome:
    """What became of one cassette: written, unchanged or refused, and why."""

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
) -> Iterator[Outcome]:
    """Write the cassettes of a run; yield what became of each.

    Args:
        shards: of every process that ran tests.
        folder: where cassettes lie.
        facts: what every cassette's metadata says: recorded_from, client.
        part: how much of the suite ran; what a cassette contains for tests that did not run is kept.
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
            yield Outcome(path, False, f"not written: {first} failed")
            continue
        try:
            _check_claims(name, set().union(*(shard.claims.get(name, set()) for shard in shards)))
            cassette = _cassette(shards, name, facts, today)
            old = _before(path, part)
            if old is not None:
                cassette = continued(cassette, old, part, max_age)
            yield _written(path, cassette, secrets)
        except BadCassette as error:
            yield Outcome(path, False, str(error), error=True)
        except OSError as error:
            yield Outcome(path, False, f"not written: {error.strerror} ({path})", error=True)
    yield from _references(shards, folder, failed)


def _references(shards: Iterable[Shard], folder: Path, failed: Collection[str]) -> Iterator[Outcome]:
    """Write the references of `drift`, each only if the tests of its deployment passed."""
    for file, reference in sorted({file: one for shard in shards for file, one in shard.references.items()}.items()):
        used = set().union(*(shard.users.get(reference.cassette, set()) for shard in shards)) | {reference.test}
        broken = sorted(used.intersection(failed))
        if broken:
            yield Outcome(folder / file, False, f"not written: {broken[0]} failed")
            continue
        try:
            write(folder / file, reference.text)
            yield Outcome(folder / file, True, f"written: {reference.told}")
        except OSError as error:
            yield Outcome(folder / file, False, f"not written: {error.strerror}", error=True)


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


def _before(path: Path, part: SuitePart) -> Cassette | None:
    """What was recorded before; None for nothing, or for a damaged file that a complete run replaces.

    Raises:
        BadCassette: the file is damaged, and a part of it would have to stay.
    """
    if not path.exists():
        return None
    try:
        return load(path)
    except BadCassette:
        if part is SuitePart.ALL:
            return None
        raise


def _written(path: Path, cassette: Cassette, secrets: Secrets) -> Outcome:
    text = dump(cassette)
    found = secrets.found_in(text)
    if found:
        raise BadCassette(
            f"Cassette {cassette.name} was not written: {found} of this run's secrets stand in it.",
            fix="find out which answer or payload repeats the secret; the service's own fields are scrubbed",
        )
    write(path, text)
    return Outcome(path, True, f"written, {len(cassette.interactions)} interactions")
