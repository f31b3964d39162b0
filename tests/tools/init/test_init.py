"""`pytest-wml init`: a complete repository, or nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

import tests.ibm  # noqa: F401
from pytest_wml.contract.files.document import load
from pytest_wml.runner.fixture_values import sample_archive
from pytest_wml.tools.cli import main
from pytest_wml.tools.init.files import complete
from pytest_wml.tools.init.writing import FolderTaken, write_files
from tests.emulator import tiny_models


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def held(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def run_steps(path: Path) -> list[str]:
    """The commands of the only job of a workflow of GitHub's."""
    (job,) = yaml.safe_load(path.read_text())["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.slow
def test_what_is_written_passes_at_once(pytester):
    """Replayed, with the recording that it came with."""
    assert main(["init"]) == 0
    result = pytester.runpytest_inprocess("-p", "no:recording")
    result.assert_outcomes(passed=10, skipped=1)


def test_it_says_what_it_wrote_and_what_to_do_next(here, capsys):
    """Every file, then the commands, in their order."""
    assert main(["init", "shop/pump"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"written to {here / 'shop' / 'pump'}:"
    assert {line.strip() for line in told[1 : told.index("")]} == set(held(here / "shop" / "pump"))
    after = [line.strip().partition("   ")[0] for line in told[told.index("what to do next:") + 1 :]]
    assert after[:4] == ["cd shop/pump", "pytest", "pytest --wml=embedded", "pytest --wml=embedded --wml-record"]


def test_a_folder_with_other_files_gets_them_beside(here):
    """As a fresh clone has a licence and a .git."""
    (here / "LICENSE").write_text("mine")
    assert main(["init"]) == 0
    assert set(held(here)) == {"LICENSE", *complete()}


LISTS = {
    ".gitignore": [
        (b"*.log", b"*.log\n__pycache__/\n.pytest_cache/\n.venv/\n.env\nreport/\n"),
        (b".venv\r\n/report\r\n", b".venv\r\n/report\r\n__pycache__/\r\n.pytest_cache/\r\n.env\r\n"),
        (b"# \xff\n", b"# \xff\n__pycache__/\n.pytest_cache/\n.venv/\n.env\nreport/\n"),
    ],
    ".gitattributes": [
        (b"*.md text", b"*.md text\ncassettes/*.yaml diff=wml merge=wml\n"),
        (b"cassettes/*.yaml  diff=wml merge=wml\n", b"cassettes/*.yaml  diff=wml merge=wml\n"),
    ],
    "requirements.txt": [
        (b"numpy<2\n", b"numpy<2\npytest-wml[wml]\n"),
        (b"", b"pytest-wml[wml]\n"),
        (b"Pytest_WML [watsonx]>=0.1  # ours\n", b"Pytest_WML [watsonx]>=0.1  # ours\n"),
    ],
    "README.md": [(b"# Mine\n", b"# Mine\n")],
}


@pytest.mark.parametrize(
    ("name", "before", "after"), [(name, *case) for name, cases in LISTS.items() for case in cases], ids=repr
)
def test_a_list_that_is_there_gets_what_it_lacks(here, capsys, name, before, after):
    """A fresh clone has a .gitignore and a README: nothing in them is lost, and it is told."""
    (here / name).write_bytes(before)
    assert main(["init"]) == 0
    assert (here / name).read_bytes() == after
    remark = "existed: not changed" if before == after else "existed: missing lines were added"
    assert f"  {name} ({remark})\n" in capsys.readouterr().out


def test_a_list_that_was_added_to_is_as_before_when_something_fails(here):
    """All or nothing."""
    (here / ".gitignore").write_text("*.log\n")
    with pytest.raises(FolderTaken):
        write_files({".gitignore": b"report/\n", "x" * 300: b"2"}, here)
    assert held(here) == {".gitignore": b"*.log\n"}


def test_a_readme_and_requirements_are_written(here):
    """The README names every file beside it; CI installs what the requirements say."""
    assert main(["init", "pump"]) == 0
    made = held(here / "pump")
    readme = made["README.md"].decode()
    tops = {name.partition("/")[0] for name in made} - {"README.md", "requirements.txt", ".gitignore"}
    assert [name for name in tops if name not in readme] == []
    assert made["requirements.txt"].splitlines()[-1] == b"pytest-wml[wml]"
    assert run_steps(here / "pump" / ".github" / "workflows" / "contract-replay.yml")[0] == (
        "pip install -r requirements.txt"
    )


@pytest.mark.parametrize(
    ("path", "content", "named"),
    [
        ("conftest.py", "mine", "conftest.py"),
        ("cassettes/pump.yaml", "mine", "cassettes/pump.yaml"),
        ("cassettes", "a file", "cassettes"),
        ("pyproject.toml", "[tool.pytest.ini_options]\n", "pyproject.toml (pytest's settings"),
        ("tox.ini", "[pytest]\n", "tox.ini (pytest's settings"),
        ("pytest.toml", "", "pytest.toml (pytest's settings"),
    ],
)
def test_nothing_is_overwritten_nor_hidden(here, capsys, path, content, named):
    """What stands in the way is named, and the folder stays as it was."""
    (here / path).parent.mkdir(exist_ok=True)
    (here / path).write_text(content)
    before = held(here)
    assert main(["init"]) == 2
    said = capsys.readouterr()
    assert named in said.err
    assert "Nothing was written" in said.err
    assert said.out == ""
    assert held(here) == before


def test_git_is_told_how_to_merge_recordings(here, capsys):
    """The attribute is written; the driver cannot be committed, so that the command is printed."""
    assert main(["init", "pump"]) == 0
    assert (here / "pump" / ".gitattributes").read_text() == "cassettes/*.yaml diff=wml merge=wml\n"
    told = capsys.readouterr().out
    assert 'git config merge.wml.driver "pytest-wml cassette merge %O %A %B %P"\n' in told


def test_settings_of_another_tool_are_not_in_the_way(here):
    """A pyproject.toml that does not speak of pytest stays as it is, and in force."""
    (here / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    assert main(["init"]) == 0


def test_a_link_that_points_nowhere_is_in_the_way(here):
    """It is somebody's, and writing through it would make a file elsewhere."""
    (here / "train.py").symlink_to(here / "gone.py")
    assert main(["init"]) == 2
    assert os.listdir(here) == ["train.py"]


def test_a_file_in_the_folders_place(here, capsys):
    """Is told."""
    (here / "pump").write_text("mine")
    assert main(["init", "pump"]) == 2
    assert "there already: pump" in capsys.readouterr().err


def test_what_fails_half_way_leaves_nothing(here):
    """The second file has a name that no file can have: the first one goes, and so do the folders made for it."""
    with pytest.raises(FolderTaken, match="Nothing was written: the name is too long"):
        write_files({"a/b.txt": b"1", "x" * 300: b"2"}, here / "new" / "er")
    assert os.listdir(here) == []


def test_neither_tensorflow_nor_ibms_client_is_loaded(here):
    """Nor anything that takes long."""
    program = (
        "import sys; from pytest_wml.tools.cli import main; main(['init', 'x']); "
        "sys.exit(bool({'tensorflow', 'keras', 'ibm_watson_machine_learning', 'vcr'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode == 0


def test_a_model_of_ones_own_takes_the_samples_place(here):
    """Copied, named in ini and CI, with a first contract; nothing of the template's model is left."""
    assert main(["init", "digits", "--model", str(sample_archive())]) == 0
    made = held(here / "digits")
    assert made["mnist_cnn.tar.gz"] == sample_archive().read_bytes()
    assert load(here / "digits" / "mnist_cnn.wml.yaml").promises[:2] == ("signature", "examples")
    assert b"wml_model = mnist_cnn.tar.gz\n" in made["pytest.ini"]
    assert not [name for name, content in made.items() if "pump" in name or b"pump" in content]
    readme = made["README.md"].decode()
    assert readme.startswith("# mnist_cnn\n")
    assert "| `mnist_cnn.tar.gz` | the model: `serving_default(image: float32 [None, 784]) -> " in readme
    assert "`mnist_cnn.wml.yaml`" in readme


def test_ci_scores_a_model_that_is_a_zip_too(here):
    """When it changes."""
    with tarfile.open(sample_archive()) as tar, zipfile.ZipFile("digits.zip", "w") as zipped:
        for member in filter(tarfile.TarInfo.isfile, tar):
            zipped.writestr(member.name, tar.extractfile(member).read())
    assert main(["init", "digits", "--model", "digits.zip"]) == 0
    text = (here / "digits" / ".github" / "workflows" / "contract-embedded.yml").read_text()
    assert '"*.zip"' in text
    assert "tar.gz" not in text
    assert "pytest-wml lint digits.zip" in text


def test_a_model_that_lies_there_already_stays(here):
    """A repository is made around it."""
    shutil.copy(sample_archive(), here / "digits.tar.gz")
    assert main(["init", "--model", "digits.tar.gz"]) == 0
    assert load(here / "digits.wml.yaml").top.values["model"] == "digits.tar.gz"


def test_a_folder_is_packed(here):
    """A SavedModel as TensorFlow wrote it."""
    tiny_models.classifier(here / "pixels")
    assert main(["init", "new", "--model", "pixels"]) == 0
    assert (here / "new" / "pixels.tar.gz").is_file()
    assert load(here / "new" / "pixels.wml.yaml").promises


@pytest.mark.parametrize(
    ("name", "ini", "extra"),
    [
        ("iris.pkl", ["# wml_model_type = scikit-learn_1.3", "# wml_allow_pickle = yes"], "[sklearn]"),
        (
            "iris.onnx",
            ["# wml_model_type = onnxruntime_1.17", "# wml_software_spec = onnxruntime_opset_21"],
            "[onnx]",
        ),
    ],
)
def test_a_model_of_another_kind(here, name, ini, extra):
    """Ini, CI and contract say what it is; a pickle is not allowed before its owner does it."""
    (here / name).write_bytes(b"\x80\x04N.")
    assert main(["init", "new", "--model", name]) == 0
    made = held(here / "new")
    assert made[name] == b"\x80\x04N."
    assert {f"wml_model = {name}", *ini} <= set(made["pytest.ini"].decode().splitlines())
    assert load(here / "new" / "iris.wml.yaml").promises == ("errors",)
    for path in (".gitlab-ci.yml", ".github/workflows/contract-embedded.yml"):
        text = made[path].decode()
        assert f"pytest-wml{extra}" in text
        assert f'["{name}", ' in text
        assert "TensorFlow" not in text


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("gone.tar.gz", "There is no model at gone.tar.gz.\n  looked in: "),
        ("gone", "There is no model at gone.\n"),
        ("notes.txt", "notes.txt is not a model that is recognised."),
        ("notes.tar.gz", "notes.tar.gz is not a model that is recognised."),
    ],
)
def test_what_is_not_a_model_is_told(here, capsys, model, told):
    """In the words of this command, with what to do for a model of another kind; nothing is written."""
    (here / "notes.txt").write_text("hello")
    (here / "notes.tar.gz").write_text("hello")
    assert main(["init", "new", "--model", model]) == 2
    assert told in capsys.readouterr().err
    assert sorted(os.listdir(here)) == ["notes.tar.gz", "notes.txt"]


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("file/below", "there already: file"),
        ("n" * 300, "Nothing was written: the name is too long."),
        ("/proc/nowhere", "Nothing was written: No such file or directory."),
    ],
)
def test_a_folder_that_cannot_be_made(here, capsys, folder, told):
    """What is wrong, where, and what to do."""
    (here / "file").write_text("mine")
    assert main(["init", folder]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "what to do: give a" in said
    assert os.listdir(here) == ["file"]


@pytest.mark.parametrize("job", ["replay", "embedded", "live"])
def test_both_ci_systems_run_the_same_commands(here, job):
    """Whichever a team has."""
    assert main(["init"]) == 0
    gitlab = yaml.safe_load((here / ".gitlab-ci.yml").read_text())[job]["script"]
    github = run_steps(here / ".github" / "workflows" / f"contract-{job}.yml")
    assert [command.removesuffix(" --junitxml=junit.xml") for command in gitlab] == github
    assert (
        github[-1]
        == {
            "replay": "pytest",
            "embedded": "pytest --wml=embedded --wml-report=report",
            "live": "pytest --wml-live --wml-report=report",
        }[job]
    )


@pytest.mark.parametrize("job", ["replay", "embedded", "live"])
def test_each_job_has_its_occasion(here, job):
    """Replay with every push, embedded with those that change the model, live at night."""
    assert main(["init"]) == 0
    # YAML 1.1 reads the key `on` as true.
    occasions = yaml.safe_load((here / ".github" / "workflows" / f"contract-{job}.yml").read_text())[True]
    (rule,) = yaml.safe_load((here / ".gitlab-ci.yml").read_text())[job]["rules"]
    if job == "live":
        assert set(occasions) == {"schedule", "workflow_dispatch"}
        assert rule == {"if": '$CI_PIPELINE_SOURCE == "schedule"'}
    else:
        assert set(occasions) == {"push", "pull_request"}
        assert ("changes" in rule) is (job == "embedded")
    if job == "embedded":
        for every in (occasions["push"]["paths"], occasions["pull_request"]["paths"], rule["changes"]):
            assert {"*.tar.gz", "*.npz", "*.py", "*.wml.yaml"} < set(every)
