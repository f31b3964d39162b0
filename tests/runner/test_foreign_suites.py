"""Suites that never heard of our fixtures: run on the embedded service, recorded, replayed, and not changed for it."""

from __future__ import annotations

import shutil

import ibm_watsonx_ai  # noqa: F401  before the inner runs, as in conftest
import pytest

from tests.ibm import needs_older

RECORD = ("--wml=embedded", "--wml-record")

SERVICE = """
    import numpy as np

    SPACE = "5ace0000-0000-4000-8000-000000000000"
    CLOUD = {"url": "https://eu-de.ml.cloud.ibm.com", "apikey": "some-api-key"}
    CPD = {"url": "https://cpd-wml.apps.example.com", "username": "me", "instance_id": "openshift"}
    IMAGES = np.eye(4).reshape(4, 2, 2, 1)

    def deploy(client, name):
        client.set.default_space(SPACE)
        spec = client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
        meta = {"name": name, "type": "tensorflow_2.14", "software_spec": spec}
        model = client.repository.store_model("model.tar.gz", meta_props=meta)["metadata"]["id"]
        meta = {"name": name, "online": {}}
        return client.deployments.create(model, meta_props=meta)["metadata"]["id"]

    def payload(*classes):
        return {"input_data": [{"values": IMAGES[list(classes)].tolist()}]}

    def classes(answer):
        return answer["predictions"][0]["values"]
"""


@pytest.fixture
def suite(pytester, archives):
    """Gives a function that lays a foreign project down."""

    def lay(**files: str) -> None:
        shutil.copy(archives["first"], pytester.path / "model.tar.gz")
        pytester.makepyfile(service=SERVICE, **files)

    pytester.syspathinsert()
    return lay


def goes_the_whole_way(pytester, passed: int, *replays: tuple[str, ...]) -> pytest.RunResult:
    """Recorded from the embedded service and replayed, each time with every test passing and no call outside.

    Gives the recording run.
    """
    recorded = pytester.runpytest_inprocess(*RECORD)
    recorded.assert_outcomes(passed=passed)
    (pytester.path / "model.tar.gz").touch()
    for arguments in replays or ((),):
        result = pytester.runpytest_inprocess(*arguments)
        result.assert_outcomes(passed=passed)
        result.stdout.fnmatch_lines(["*live calls: 0*"])
    return recorded


@needs_older
def test_clients_of_their_own_in_all_places(pytester, suite):
    """In a conftest, at import, in fixtures, in setUpClass and in a thread; replayed in one process and in two."""
    suite(
        conftest="""
        import pytest
        from ibm_watson_machine_learning import APIClient
        from service import CLOUD, deploy

        EARLY = APIClient(CLOUD)

        @pytest.fixture(scope="session")
        def deployed():
            client = APIClient(CLOUD)
            return client, deploy(client, "session")

        @pytest.fixture
        def early():
            return EARLY
        """,
        test_module="""
        import threading
        from ibm_watson_machine_learning import APIClient
        from service import CLOUD, classes, deploy, payload

        CLIENT = APIClient(CLOUD)
        DEPLOYED = deploy(CLIENT, "module")

        def test_at_import():
            assert classes(CLIENT.deployments.score(DEPLOYED, payload(2, 0))) == [2, 0]

        def test_session_fixture(deployed):
            client, deployment = deployed
            assert classes(client.deployments.score(deployment, payload(3))) == [3]

        def test_again(deployed):
            client, deployment = deployed
            assert classes(client.deployments.score(deployment, payload(1))) == [1]

        def test_of_the_conftest(early):
            early.set.default_space("5ace0000-0000-4000-8000-000000000000")
            assert early.hardware_specifications.get_id_by_name("S") != "Not Found"

        def test_in_a_thread():
            seen = []

            def work():
                client = APIClient(CLOUD)
                seen.append(classes(client.deployments.score(deploy(client, "thread"), payload(0, 1))))

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            assert seen == [[0, 1]]
        """,
        test_case="""
        import unittest
        from ibm_watson_machine_learning import APIClient
        from service import CLOUD, classes, deploy, payload

        class TestDeployment(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                cls.client = APIClient(CLOUD)
                cls.deployment = deploy(cls.client, "case")

            @classmethod
            def tearDownClass(cls):
                cls.client.deployments.delete(cls.deployment)

            def test_one(self):
                self.assertEqual(classes(self.client.deployments.score(self.deployment, payload(0))), [0])

            def test_two(self):
                self.assertEqual(classes(self.client.deployments.score(self.deployment, payload(1))), [1])
        """,
    )
    goes_the_whole_way(pytester, 7, (), ("-n", "2"))


def test_the_newer_client(pytester, suite):
    """Sync and async; its waits cost nothing, the suite's own `asyncio.sleep` is real."""
    suite(
        test_newer="""
        import asyncio
        import pytest
        from ibm_watsonx_ai import APIClient, Credentials
        from service import CLOUD, classes, deploy, payload

        @pytest.fixture(scope="module")
        def deployed():
            client = APIClient(Credentials(url=CLOUD["url"], api_key=CLOUD["apikey"]))
            yield client, deploy(client, "newer")
            client.httpx_client.close()

        def test_sync(deployed):
            client, deployment = deployed
            assert classes(client.deployments.score(deployment, payload(2, 1))) == [2, 1]

        def test_async(deployed):
            client, deployment = deployed

            async def score(number):
                answer = await client.deployments.ascore(deployment, payload(number % 4))
                return classes(answer)

            async def main():
                slept, loop = [], asyncio.get_running_loop()
                begun = loop.time()
                await asyncio.sleep(0.05)
                slept.append(loop.time() - begun)
                answers = await asyncio.gather(*map(score, range(40)))
                await client.async_httpx_client.aclose()
                return slept, answers

            (slept,), answers = asyncio.run(main())
            assert slept >= 0.04
            assert answers == [[number % 4] for number in range(40)]
        """
    )
    goes_the_whole_way(pytester, 2).stdout.fnmatch_lines(["*, * s of waiting left out*"])


@needs_older
def test_a_cloud_pak_for_data_that_nobody_named(pytester, suite):
    """A URL that only the suite's own client knows: with a key and with a password, beside a client for the cloud."""
    suite(
        test_cpd="""
        import socket
        import ibm_watson_machine_learning._wrappers.requests as wrapper
        import ibm_watsonx_ai
        import pytest
        from ibm_watson_machine_learning import APIClient
        from ibm_watsonx_ai._wrappers.httpx.global_httpx_settings import GlobalHttpxSettings
        from service import CLOUD, CPD, classes, deploy, payload

        @pytest.fixture(scope="module", autouse=True)
        def no_look_ups():
            asked = []
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: asked.append(host))
                yield
            assert asked == []

        def old(**more):
            return APIClient({**CPD, **more})

        def new(**more):
            url, name = CPD["url"], CPD["username"]
            return ibm_watsonx_ai.APIClient(ibm_watsonx_ai.Credentials(url=url, username=name, **more))

        @pytest.mark.parametrize(("make", "credentials"), [
            (old, {"apikey": "k", "version": "5.0"}),
            (old, {"password": "p", "version": "5.0"}),
            (old, {"password": "p", "version": "5.0", "bedrock_url": "https://cp-console.apps.example.com"}),
            (new, {"api_key": "k", "version": "5.0"}),
            (new, {"password": "p", "version": "5.0"}),
            (new, {"password": "p", "version": "5.0", "bedrock_url": "https://cp-console.apps.example.com"}),
        ])
        def test_cpd(make, credentials):
            wrapper.verify = None
            client = make(**credentials)
            deployment = deploy(client, "cpd")
            assert classes(client.deployments.score(deployment, payload(3, 0))) == [3, 0]
            assert wrapper.verify is None
            assert GlobalHttpxSettings.verify is not False
            if make is new:
                client.httpx_client.close()

        def test_both():
            clients = [APIClient(CLOUD), old(password="p", version="5.0")]
            ids = [deploy(client, "both") for client in clients]
            answers = [client.deployments.score(one, payload(2)) for client, one in zip(clients, ids)]
            assert [classes(answer) for answer in answers] == [[2], [2]]
        """
    )
    goes_the_whole_way(pytester, 7)


@pytest.mark.slow
@needs_older
def test_many_at_once(pytester, suite):
    """Sixteen threads and two hundred concurrent coroutines, a quarter with a payload that another one sends."""
    suite(
        test_many="""
        import asyncio
        import json
        from concurrent.futures import ThreadPoolExecutor
        import httpx
        import pytest
        import requests
        import urllib3
        from ibm_watson_machine_learning import APIClient
        from service import CLOUD, classes, deploy, payload

        @pytest.fixture(scope="session")
        def scoring():
            client = APIClient(CLOUD)
            url = f"{CLOUD['url']}/ml/v4/deployments/{deploy(client, 'many')}/predictions?version=2020-01-01"
            headers = {"Authorization": "Bearer " + client.wml_token, "Content-Type": "application/json"}
            return url, headers

        def images(number):
            number %= 150
            return [number % 4, number // 4 % 4, number // 16 % 4, number // 64 % 4]

        def by_requests(scoring, number):
            url, headers = scoring
            return requests.post(url, json=payload(*images(number)), headers=headers, timeout=30).json()

        def by_urllib3(scoring, number):
            url, headers = scoring
            body = json.dumps(payload(*images(number)))
            with urllib3.PoolManager() as pool:
                return pool.request("POST", url, body=body, headers=headers, timeout=30).json()

        @pytest.mark.parametrize("score", [by_requests, by_urllib3])
        def test_threads(scoring, score):
            with ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(lambda number: score(scoring, number), range(200)))
            assert [classes(answer) for answer in answers] == [images(number) for number in range(200)]

        def test_coroutines(scoring):
            url, headers = scoring

            async def main():
                limits = httpx.Limits(max_connections=None)
                async with httpx.AsyncClient(headers=headers, timeout=60, limits=limits) as client:
                    asked = (client.post(url, json=payload(*images(number))) for number in range(200))
                    return [answer.json() for answer in await asyncio.gather(*asked)]

            answers = asyncio.run(main())
            assert [classes(answer) for answer in answers] == [images(number) for number in range(200)]
        """
    )
    goes_the_whole_way(pytester, 3)


def test_a_cloud_pak_for_data_without_ibms_client(pytester):
    """A suite that talks to it by requests alone names it in the ini; a neighbour at another port stays untouched."""
    pytester.makeini("[pytest]\nwml_cpd_hosts = https://cpd.apps.example.com:8443 other.example.com\n")
    pytester.makepyfile(
        """
        import pytest
        import requests

        def test_named():
            form = {"username": "me", "api_key": "k"}
            for host in ("cpd.apps.example.com:8443", "other.example.com"):
                answer = requests.post(f"https://{host}/icp4d-api/v1/authorize", json=form, timeout=5)
                assert answer.json()["message"] == "Success"

        def test_not_named():
            with pytest.raises(requests.ConnectionError):
                requests.get("https://cpd.apps.example.com:9443/x", timeout=5)
        """
    )
    for mode in ("replay", "embedded"):
        pytester.runpytest_inprocess(f"--wml={mode}").assert_outcomes(passed=2)
