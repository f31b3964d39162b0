"""`wml_contract` in a suite: recorded, replayed, and failing as a reader sees it."""

from __future__ import annotations

import json
import shutil

import pytest

SUITE = """
    import numpy as np
    import pytest
    from pytest_wml.contract import image_transforms

    IMAGES = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)
    BRIGHTNESS = {name: image_transforms()[name] for name in ("noise", "brighter", "darker")}

    def test_classes(wml_contract):
        wml_contract.classes(IMAGES, range(4))

    def test_probabilities(wml_contract):
        wml_contract.probabilities(IMAGES, tolerance=1e-5)

    def test_signature(wml_contract):
        wml_contract.signature(
            inputs={"images": ("float32", [None, 2, 2, 1])},
            outputs={"classes": ("int64", [None]), "probabilities": ("float32", [None, 4])},
        )

    def test_parity(wml_contract):
        wml_contract.parity(IMAGES * 0.5)

    def test_batch_consistency(wml_contract):
        wml_contract.batch_consistency(IMAGES)

    def test_repeatability(wml_contract):
        wml_contract.repeatability(IMAGES, n=5)

    def test_invariance(wml_contract):
        wml_contract.invariance(IMAGES, BRIGHTNESS)

    def test_directional(wml_contract):
        def brighter_first(images):
            images[:, 0, 0] += 0.5
            return images
        wml_contract.directional(IMAGES, brighter_first, label=0, change="raises")

    def test_errors(wml_contract):
        wml_contract.errors()

    def test_rest(wml_contract):
        wml_contract.rest(IMAGES)

    def test_latency(wml_contract):
        budget = {"p99": 60} if wml_contract.deployment.mode != "replay" else {"p50": 1e-9}
        wml_contract.latency(IMAGES, requests=30, concurrency=[1, 4], budget=budget)

    def test_accuracy(wml_contract):
        assert wml_contract.accuracy(IMAGES, range(4), floor=0.9).measured["accuracy"] == 1.0

    def test_drift(wml_contract):
        wml_contract.drift(IMAGES)
"""


@pytest.fixture(scope="module")
def recorded_suite(tmp_path_factory):
    """Folder with the recordings of SUITE; made when first needed."""
    return tmp_path_factory.mktemp("recorded_suite")


@pytest.fixture
def suite(project, pytester, recorded_suite):
    """A project whose suite uses every check, recorded from the embedded service."""
    pytester.makepyfile(test_model=SUITE)
    if not list(recorded_suite.iterdir()):
        pytester.runpytest_inprocess("--wml=embedded", "--wml-record").assert_outcomes(passed=13)
        shutil.copytree(project.folder / "cassettes", recorded_suite, dirs_exist_ok=True)
    shutil.copytree(recorded_suite, project.folder / "cassettes", dirs_exist_ok=True)
    return project


def test_every_check_replays(pytester, suite):
    """All that was recorded answers, nothing is left over, and parity is skipped for want of the model."""
    pytester.makeconftest(
        """
        from pytest_wml.runner.activation import RUN

        def pytest_sessionfinish(session):
            print("checks:", *sorted({result.check for result in session.config.stash[RUN].results.checks}))
        """
    )
    result = pytester.runpytest_inprocess("-s", "-rs", "-n", "0")
    result.assert_outcomes(passed=12, skipped=1)
    checks = "accuracy batch_consistency classes directional drift errors invariance latency probabilities"
    result.stdout.fnmatch_lines_random(
        [
            f"*checks: {checks} repeatability rest signature",
            "SKIPPED * needs the model itself: run it with --wml=embedded",
            "*live calls: 0*",
        ]
    )
    result.stdout.no_fnmatch_line("*no test sends*")


@pytest.mark.slow
def test_no_check_needs_tensorflow_on_a_replay(pytester, suite):
    """In a process of its own, which here is a worker of xdist's."""
    pytester.makeconftest(
        """
        import sys

        def pytest_runtest_teardown():
            assert not {"tensorflow", "keras", "vcr", "werkzeug"} & set(sys.modules)
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:recording", "-n", "1")
    result.assert_outcomes(passed=12, skipped=1)


def test_a_recording_does_not_grow_with_the_same_answers(suite):
    """Sixty requests of a latency run, and five of repeatability, are one recorded answer."""
    entries = json.loads(suite.cassette.read_text())["interactions"]
    identities = [entry["pytest-wml"]["identity"] for entry in entries if "predictions" in entry["request"]["uri"]]
    assert len(identities) == len(set(identities))


def test_a_bad_token_is_refused_on_a_replay_too(pytester, suite):
    """The same body with a token, with a bad one and with none: three answers."""
    pytester.makepyfile(
        test_model="""
        import requests

        def statuses(deployment):
            body = {"input_data": [{"values": [[[[1.0], [0.0]], [[0.0], [0.0]]]]}]}
            good = deployment.client._get_headers()["Authorization"]
            return [
                requests.post(
                    deployment.scoring_url, params={"version": "2021-06-21"}, json=body, timeout=9, headers=headers
                ).status_code
                for headers in ({"Authorization": good}, {"Authorization": "Bearer no-jwt"}, {})
            ]

        def test_tokens(wml_deployment):
            assert statuses(wml_deployment) == [200, 401, 401]
        """
    )
    pytester.runpytest_inprocess("--wml=embedded", "--wml-record").assert_outcomes(passed=1)
    assert "no-jwt" not in suite.cassette.read_text()
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_wrong_digits_are_drawn_in_the_report(pytester):
    """The sample network, and two labels that are wrong: both digits are seen, and no line of ours around them."""
    pytester.makepyfile(
        test_model="""
        import numpy as np

        def test_classes(wml_contract, wml_digits):
            images = np.stack([wml_digits[digit] for digit in (5, 4, 7)])
            wml_contract.classes(images, [6, 4, "1"])
        """
    )
    result = pytester.runpytest_inprocess("--wml=embedded")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       wml_contract.classes(images, *",
            "E       *ContractBroken: classes: 2 findings (mnist_cnn, answered by embedded)",
            "E         promised: each of 3 rows gets its expected class",
            "E         measured: right 1 of 3",
            "E  *█*",
            "E       row 0 *row 2",
            "E       expected 6, got 5 *expected 1, got 7",
            "E       5:?.??? *7:?.???*",
        ]
    )
    result.stdout.no_fnmatch_line("*toolkit.py*")


def test_a_missing_reference_is_told_with_the_way_on(pytester, recorded_project):
    """No traceback: the file that was looked for, and the command."""
    pytester.makepyfile(
        test_model="""
        import numpy as np

        def test_drift(wml_contract):
            wml_contract.drift(np.eye(4, dtype="float32").reshape(4, 2, 2, 1), name="four")
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "There is no reference to compare with.",
            "  looked for: *cassettes/tiny.four.reference.json",
            "  what to do: record it: run this test once with --wml=embedded --wml-record*",
            "  at: test_model.py:4",
        ]
    )


def test_a_unittest_class_uses_the_functions(pytester, recorded_project):
    """The checks are plain functions: their findings can be compared with nothing."""
    pytester.makepyfile(
        test_model="""
        import unittest

        import numpy as np
        import pytest
        from pytest_wml.contract import check_classes

        @pytest.mark.usefixtures("wml_deployment")
        class TestModel(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _deployment(self, wml_deployment):
                self.deployment = wml_deployment

            def test_classes(self):
                images = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)
                self.assertEqual(check_classes(self.deployment, images, [0, 1, 2, 3]).findings, ())
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_reference_is_written_with_its_recording(pytester):
    """Only if the tests of the deployment passed, and what it changes is told."""
    pytester.makepyfile(
        """
        import os

        def test_drift(wml_contract, wml_digits):
            wml_contract.drift(wml_digits.images[:4])

        def test_other(wml_deployment, wml_digits):
            wml_deployment.predict([wml_digits[5]])
            assert "FAIL" not in os.environ
        """
    )
    reference = pytester.path / "cassettes" / "mnist_cnn.reference.json"
    pytester.runpytest_inprocess("--wml=embedded", "--wml-record").assert_outcomes(passed=2)
    before = reference.read_bytes()
    reference.write_bytes(before.replace(b'"classes": [\n  "', b'"classes": [\n  "1'))
    spoiled = reference.read_bytes()
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("FAIL", "1")
        result = pytester.runpytest_inprocess("--wml=embedded", "--wml-record")
    result.stdout.fnmatch_lines(["mnist_cnn.reference.json: not written: *::test_other failed"])
    assert reference.read_bytes() == spoiled
    result = pytester.runpytest_inprocess("--wml=embedded", "--wml-record")
    result.stdout.fnmatch_lines(["mnist_cnn.reference.json: written: 1 of 4 rows have another class than on *"])
    assert reference.read_bytes() == before
