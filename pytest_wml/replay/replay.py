"""Answers from cassettes; what was not recorded is refused and remembered."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO

from pytest_wml.config import similar_names
from pytest_wml.errors import WMLTestError
from pytest_wml.interception.messages import MISSED, is_upload, path_of, send, send_error, send_json, spooled
from pytest_wml.interception.request_log import ANSWERED_BY, Requester, attribution
from pytest_wml.interception.wsgi import Environ
from pytest_wml.redaction.known import Secrets, secret_of_header
from pytest_wml.replay.bodies import kept
from pytest_wml.replay.cassette.batches import elsewhere, few_rows
from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.replay.cassette.identity import Request, request, token_flaw
from pytest_wml.replay.cassette.library import Library, same_model
from pytest_wml.replay.cassette.nearest import differences, nearest
from pytest_wml.replay.cassette.normalise import CANONICAL_HOSTS, Interaction
from pytest_wml.replay.cassette.places import deviations
from pytest_wml.replay.cassette.player import Player
from pytest_wml.replay.cassette.tape import Body, Content
from pytest_wml.replay.cassette.varying import aligned
from pytest_wml.replay.misses import Misses, advice
from pytest_wml.wml import tokens
from pytest_wml.wml.hosts import Hosts, Role

_RERECORD = "record it: run this test once with --wml=embedded --wml-record (or --wml-live --wml-record)"
_LINES = 12


class MissingRecording(WMLTestError):
    """No recording answers a request."""

    @property
    def cause(self) -> str:
        """Where nothing was recorded that is like the request, all such requests have one cause."""
        return super().cause if "nearest" in self.facts or "request" not in self.facts else self.problem

    @property
    def brief(self) -> str:
        """The problem and the request."""
        asked = self.facts.get("request", "")
        return f"{self.problem.rstrip('.')}: {asked}" if asked else self.problem


class ModelChanged(WMLTestError):
    """The model is not the one that was recorded."""


class Replay:
    """A WSGI app that answers from cassettes.

    Args:
        library: the cassettes.
        hosts: tells a host's role.
        aliases: ids of whoever runs (the space) → what stands for them in the files.
        secrets: kept out of error messages.
        client: names IBM's client and its version, as recordings do; empty where that is not known.
        misses: remembers what no recording answered.
    """

    def __init__(
        self,
        library: Library,
        hosts: Hosts,
        aliases: Mapping[str, str],
        secrets: Secrets,
        client: Callable[[], str],
        misses: Misses | None = None,
    ) -> None:
        self.library = library
        self._hosts = hosts
        self._aliases = dict(aliases)
        self._secrets = secrets
        self._client = client
        self._misses = misses or Misses()
        self._uploaded: dict[str, BinaryIO] = {}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = path_of(environ)
        self._secrets.add(secret_of_header(environ.get("HTTP_AUTHORIZATION", "")))
        if tokens.is_authentication(path):
            environ[ANSWERED_BY] = "minted"
            return send_json(start_response, 200, tokens.answer(path))
        try:
            interaction = self._answer(environ, path)
            body = self._for_this_client(interaction, environ)
        except WMLTestError as error:
            attribution(environ).fail(error)
            # The test's report holds the rest; IBM's client would log it a second time.
            return send_error(start_response, MISSED, "no_recording", error.problem)
        return send(start_response, interaction.status, body, interaction.answer_type)

    def require(self, name: str, present: Content | None) -> Content | None:
        """Check that a deployment was recorded, and with this model.

        Args:
            name: of the cassette.
            present: the model; None where another place than this project decides about it.

        Returns:
            the recorded model, None where the recording names none.

        Raises:
            MissingRecording: there is no such cassette.
            ModelChanged: it was recorded with another model.
            BadCassette: the file cannot be used.
        """
        player = self.library.player(name)
        if player is None:
            raise self._nothing(name)
        recorded = player.cassette.model
        if recorded is not None and present is not None and not same_model(recorded, present):
            raise model_changed(player.cassette, recorded, present)
        return recorded

    def require_any(self) -> None:
        """Check that anything was recorded at all.

        Raises:
            MissingRecording: the folder has no cassette.
        """
        if not self.library.names():
            raise self._nothing(self.library.home)

    def _nothing(self, name: str) -> MissingRecording:
        return MissingRecording(
            f"Nothing was recorded for the deployment {name}.",
            looked_for=self.library.path(name),
            there_is=similar_names.files(self.library.path(name)),
            fix="record it: pytest --wml=embedded --wml-record (or --wml-live --wml-record);\n"
            "or run without a recording: pytest --wml=embedded",
        )

    def close(self) -> None:
        """Forget the archives that were uploaded in this run."""
        for archive in self._uploaded.values():
            archive.close()
        self._uploaded.clear()

    def _answer(self, environ: Environ, path: str) -> Interaction:
        method = environ["REQUEST_METHOD"]
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(spooled(environ))
            sent = kept(stream, is_upload(method, path))
            player, interaction = self._find(environ, path, sent)
            environ[ANSWERED_BY] = player.cassette.name
            if isinstance(sent, Content) and isinstance(interaction.body, Content):
                if not same_model(interaction.body, sent):
                    raise model_changed(player.cassette, interaction.body, sent)
                if self._uploaded.setdefault(interaction.body.model, stream) is stream:
                    stack.pop_all()
            return interaction

    def _find(self, environ: Environ, path: str, sent: Body) -> tuple[Player, Interaction]:
        role = self._hosts.role(environ["HTTP_HOST"]) or Role.CPD
        body = sent if isinstance(sent, Content) else self._neutral_bytes(sent)
        query = self._neutral(environ["QUERY_STRING"])
        flaw = token_flaw(path, environ.get("HTTP_AUTHORIZATION", ""))
        asked = request(environ["REQUEST_METHOD"], role, self._neutral(path), query, body, flaw)
        requester = attribution(environ).requester
        found = self.library.play(asked, requester.name)
        if found is None:
            raise self._missing(asked, requester)
        return found

    def _neutral_bytes(self, body: bytes) -> bytes:
        for actual, neutral in self._aliases.items():
            body = body.replace(actual.encode(), neutral.encode())
        return body

    def _neutral(self, text: str) -> str:
        for actual, neutral in self._aliases.items():
            text = text.replace(actual, neutral)
        return text

    def _for_this_client(self, interaction: Interaction, environ: Environ) -> bytes:
        answer = interaction.answer
        if isinstance(answer, Content):
            return self._archive(answer)
        for actual, neutral in self._aliases.items():
            answer = answer.replace(neutral.encode(), actual.encode())
        canonical = f"//{CANONICAL_HOSTS[interaction.role]}"
        return answer.replace(canonical.encode(), f"//{environ['HTTP_HOST']}".encode())

    def _archive(self, recorded: Content) -> bytes:
        uploaded = self._uploaded.get(recorded.model)
        if uploaded is None:
            raise MissingRecording(
                "A recording holds an archive's digests, not its bytes, and this run has not uploaded it.",
                archive=recorded.archive,
                fix="store the model in the same run before it is downloaded, or use --wml=embedded",
            )
        uploaded.seek(0)
        return uploaded.read()

    def _missing(self, asked: Request, requester: Requester) -> MissingRecording:
        cassettes = self.library.candidates(asked, requester.name)
        interactions = [one for cassette in cassettes for one in cassette.interactions]
        recorded = nearest(asked, interactions)
        files = self.library.names()
        facts, fix = {"request": str(asked)}, _RERECORD
        if recorded is not None:
            asked = aligned(asked, recorded, self.library.varying)
            facts["nearest"] = f"{recorded}{few_rows(recorded)}"
            facts["they_part_at"] = "\n".join(list(differences(asked, recorded))[:_LINES])
            facts["but"] = elsewhere(asked, interactions)
            if facts["but"]:
                fix = f"score the same rows together, as in the recording; or\n{fix}"
            elif places := self._misses.differing(f"{requester.where} {asked}", deviations(asked, recorded)):
                facts["differs_on_every_run"], fix = advice(places)
        elif requester.name and files:
            facts["cassette"] = f"{self.library.path(requester.name)} does not exist"
        elif not files:
            facts["cassettes"] = f"none in {self.library.folder}"
        facts |= self._other_client(cassettes)
        masked = {name: self._secrets.mask(fact) for name, fact in facts.items()}
        return MissingRecording("No recording answers this request.", **masked, fix=fix)

    def _other_client(self, cassettes: Iterable[Cassette]) -> dict[str, str]:
        """Which client the recordings name, where it is not this process's: each asks for other things."""
        recorded = {client for cassette in cassettes for client in cassette.clients}
        present = self._client()
        if not present or not recorded or present in recorded:
            return {}
        return {"client": f"{', '.join(sorted(recorded))} in the recording, {present} here"}


def model_changed(cassette: Cassette, recorded: Content, present: Content) -> ModelChanged:
    """The error for a model that is not the recorded one: both digests, the date, the two ways on."""
    both = recorded.basis == present.basis == "model"
    facts = {
        "recorded": recorded.model if both else f"{recorded.archive} (archive)",
        "now": present.model if both else f"{present.archive} (archive)",
        "recorded_at": f"{cassette.newest}, from {cassette.recorded_from}",
    }
    if recorded.signature != present.signature:
        facts["signature_then"] = recorded.signature or "unknown"
        facts["signature_now"] = present.signature or "unknown"
    return ModelChanged(
        f"The model changed: cassette {cassette.name} was recorded with another one.",
        **facts,
        fix="check the new model against the embedded service: pytest --wml=embedded\n"
        "and, when its answers are right, record them: pytest --wml=embedded --wml-record",
    )
