"""Where credentials come from."""

from __future__ import annotations

import json

import pytest

from pytest_wml.config.credentials import OFFLINE, BadCredentials, find
from pytest_wml.config.option_table import SPACE_VARIABLES

SPACE = "3fc54cf1-252f-424b-b52d-5cdd9814987f"
EU = "https://eu-de.ml.cloud.ibm.com"


@pytest.fixture
def written(tmp_path):
    """Write a file; give its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


def test_without_any_there_are_none():
    """An environment that names nothing of WML's gives no credentials."""
    assert find({"HOME": "/", "WML_SPACE_ID": SPACE}, "") is None


@pytest.mark.parametrize(
    "environ",
    [
        {"WML_APIKEY": "key-1", "WML_URL": EU, "WML_SPACE_ID": SPACE},
        {"WML_API_KEY": "key-1", "WML_URL": EU, "WML_SPACE_ID": SPACE},
        {"WATSONX_APIKEY": "key-1", "WATSONX_URL": EU, "WATSONX_SPACE_ID": SPACE},
        {"WATSONX_API_KEY": "key-1", "WATSONX_URL": EU, "WATSONX_SPACE_ID": SPACE},
        {"WATSON_MACHINE_LEARNING_APIKEY": "key-1", "WATSON_MACHINE_LEARNING_URL": EU, "WML_SPACE_ID": SPACE},
        {"IBMCLOUD_API_KEY": "key-1", "WML_URL": EU, "WML_SPACE_ID": SPACE},
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_the_names_that_ibms_own_tools_use(environ):
    """Own variables, those of ibm-watsonx-ai's samples, of IBM's SDKs and of the command line are all read."""
    found = find(environ, "")
    assert (found.apikey, found.url, found.space_id) == ("key-1", EU, SPACE)
    assert set(found.origin.split(", ")) == set(environ)


@pytest.mark.parametrize("name", SPACE_VARIABLES)
def test_offline_a_space_alone_is_enough(name):
    """Whichever variable names it; nobody looks at the key."""
    found = find({name: f" {SPACE} "}, "", offline=True)
    assert (found.space_id, found.apikey, found.origin) == (SPACE, OFFLINE.apikey, name)
    assert find({name: SPACE, "WML_APIKEY": "key-1"}, "", offline=True).apikey == "key-1"


@pytest.mark.parametrize(
    ("file", "content"),
    [("wml.json", {"space_id": SPACE}), (".env", f"WML_SPACE_ID={SPACE}\n"), (".env", f"WATSONX_SPACE_ID={SPACE}\n")],
)
def test_offline_a_file_that_names_a_space_is_enough(written, file, content):
    """JSON or lines without a key."""
    assert find({}, written(file, content), offline=True).space_id == SPACE


def test_offline_a_job_without_secrets_has_credentials():
    """CI of a fork has the variables and not the secrets: IBM Cloud, or a Cloud Pak for Data, as its URL says."""
    cloud = find({"WML_APIKEY": "", "WML_URL": EU, "WML_SPACE_ID": SPACE}, "", offline=True)
    assert (cloud.url, cloud.space_id, cloud.instance_id) == (EU, SPACE, "")
    packed = find({"WML_URL": "https://cpd.example.com", "WML_VERSION": "4.8"}, "", offline=True)
    assert (packed.cpd_host, packed.instance_id, packed.version) == ("cpd.example.com", "openshift", "4.8")
    assert packed.username
    with pytest.raises(BadCredentials, match="contain no key, token or password"):
        find({"WML_URL": EU, "WML_SPACE_ID": SPACE}, "")


def test_offline_a_space_is_named_by_its_id():
    """A name is refused, but for a variable that other tools have too."""
    with pytest.raises(BadCredentials, match="WML_SPACE_ID is not a valid id: 'my space'"):
        find({"WML_SPACE_ID": "my space"}, "", offline=True)
    assert find({"SPACE_ID": "my-other-tool"}, "", offline=True) is None


def test_a_notebooks_runtime():
    """In IBM's notebooks the token of the runtime is enough."""
    found = find({"USER_ACCESS_TOKEN": "a.b.c", "RUNTIME_ENV_APSX_URL": EU, "SPACE_ID": SPACE}, "")
    assert (found.token, found.url, found.space_id) == ("a.b.c", EU, SPACE)


def test_sets_are_not_mixed():
    """The URL of one set of variables is never used with the key of another, but for `WML_…`, which always win."""
    found = find({"WATSONX_URL": EU, "IBMCLOUD_API_KEY": "key-2", "WML_SPACE_ID": SPACE}, "")
    assert found.url == "https://us-south.ml.cloud.ibm.com"
    assert find({"WATSONX_APIKEY": "k", "WATSONX_URL": "https://x", "WML_URL": EU}, "").url == EU


def test_own_variables_win_over_a_file(written):
    """A variable `WML_…` replaces what the file says; the rest of the file stays."""
    file = written("key.json", {"apikey": "from-file", "url": EU})
    found = find({"WML_APIKEY": "from-variable", "WATSONX_URL": "https://not-asked"}, file)
    assert (found.apikey, found.url) == ("from-variable", EU)


@pytest.mark.parametrize(
    "content",
    [
        {"apikey": "key-1", "url": EU},
        {"api_key": "key-1", "url": EU},
        # As IBM Cloud's console downloads service credentials, and as its command line lists them.
        {"guid": "1", "name": "wdp-writer", "credentials": {"apikey": "key-1", "instance_id": SPACE, "url": EU}},
        [{"guid": "1", "credentials": {"apikey": "key-1", "iam_apikey_name": "auto", "url": EU}}],
        {"pm-20": [{"label": "pm-20", "credentials": {"apikey": "key-1", "url": EU, "username": ""}}]},
    ],
    ids=["flat", "newer client", "console", "command line", "VCAP_SERVICES"],
)
def test_json_in_all_the_forms_that_ibm_writes(written, content):
    """The section that holds the key is found wherever IBM's tools put it."""
    found = find({}, written("key.json", content))
    assert (found.apikey, found.url, found.instance_id) == ("key-1", EU, "")


def test_the_space_may_stand_beside_the_downloaded_section(written):
    """What was downloaded names no space: it can be added above it."""
    file = written("key.json", {"space_id": SPACE, "credentials": {"apikey": "key-1", "url": EU}})
    assert find({}, file).space_id == SPACE


def test_a_downloaded_api_key_is_enough(written):
    """The file that the console gives with a new API key holds no URL."""
    found = find({}, written("apikey.json", {"name": "ci", "createdAt": "2026-11-01T00:00+0000", "apikey": "key-1"}))
    assert (found.apikey, found.url) == ("key-1", "https://us-south.ml.cloud.ibm.com")


def test_a_file_of_two_services_is_refused(written):
    """Which of two keys is meant is not guessed, and neither is shown."""
    file = written("key.json", {"pm-20": [{"credentials": {"apikey": "k-1"}}], "cos": {"apikey": "k-2"}})
    with pytest.raises(BadCredentials, match="contains 2 sets of credentials") as raised:
        find({}, file)
    assert "k-1" not in str(raised.value)


@pytest.mark.parametrize("name", [".env", "ci.env", ".env.local"])
def test_a_dotenv_file(written, name):
    """Lines as a shell takes them: comments, `export`, quotes; other variables are not taken, nothing is expanded."""
    text = f"# ours\nexport WML_APIKEY='key-$HOME'\nWML_URL={EU}\nWML_SPACE_ID=\"{SPACE}\"\nAWS_SECRET=other\n"
    found = find({}, written(name, text))
    assert (found.apikey, found.url, found.space_id) == ("key-$HOME", EU, SPACE)


def test_a_dotenv_file_without_a_key(written):
    """The names that are there are told, their values are not."""
    with pytest.raises(BadCredentials, match="contains no key, token or password of WML") as raised:
        find({}, written(".env", "APIKEY=hidden-1\nFOO=hidden-2\n"))
    assert "APIKEY, FOO" in str(raised.value)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"apikey": "hidden"', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("hidden", "is not JSON"),
        ("\ud800".encode("utf-16", "replace"), "is not a text file"),
        ('["hidden"]', "does not contain a JSON object"),
        ('{"url": "https://hidden"}', "contain no key, token or password"),
    ],
    ids=range(6),
)
def test_no_broken_file_is_quoted(tmp_path, content, message):
    """Whatever is wrong with a file, its text stays out of the message."""
    path = tmp_path / "key.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadCredentials, match=message) as raised:
        find({}, str(path))
    assert "hidden" not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path):
    """Is named."""
    with pytest.raises(BadCredentials, match="The credentials file cannot be read") as raised:
        find({}, str(tmp_path / "key.json"))
    assert str(tmp_path / "key.json") in str(raised.value)


def test_a_url_with_a_password_in_it_is_not_shown():
    """`https://user:password@host` is refused without its password."""
    with pytest.raises(BadCredentials) as raised:
        find({"WML_APIKEY": "k", "WML_URL": "https://admin:hidden@cpd.example.com"}, "")
    assert "hidden" not in str(raised.value)


def test_a_repr_hides_every_secret():
    """A repr names the fields and shows no secret."""
    shown = repr(find({"WML_APIKEY": "hidden-1", "WML_PASSWORD": "hidden-2", "WML_TOKEN": "hidden-3"}, ""))
    assert "hidden" not in shown
    assert "apikey='…'" in shown
