"""The page in a browser: hostile names, dark and light, narrow, by keyboard."""

from __future__ import annotations

import contextlib
import re

import numpy as np
import pytest

from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.samples import Sample
from pytest_wml.runner.report.check_notes import check_note
from pytest_wml.runner.report.notes import DeploymentNote, FailureNote, TestNote
from pytest_wml.runner.report.page import page
from pytest_wml.runner.report.png import data_uri
from pytest_wml.runner.report.run_report import ReportedTest, RunReport

OWNED = "\"'><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script></style>"


def report(hostile: str = "") -> RunReport:
    """A run with every figure; `hostile` is put into every text that others write."""
    image = np.linspace(0, 1, 784, dtype=np.float32)
    labels = [f"{hostile}{number}" for number in range(10)]
    accuracy = Result(
        "accuracy" + hostile,
        "digits" + hostile,
        "embedded",
        promised="at least 0.9" + hostile,
        measured={"accuracy": 0.5, "labels": labels, "confusion": (np.eye(10, dtype=int) * 7).tolist()},
        findings=(Finding("row 1: expected 1, got 2" + hostile, 1),),
        notes=("few" + hostile,),
        samples=(Sample(1, "1" + hostile, "2" + hostile, (0.1, 0.2, 0.7), {"": image}),),
    )
    levels = [{"concurrency": 1, "seconds": [0.01, 0.02, 0.5], "failures": [], "p50": 0.02, "p95": 0.5}]
    latency = Result("latency", "digits", "embedded", promised="p95", measured={"levels": levels})
    note = TestNote(
        "test_x.py::test" + hostile,
        checks=(check_note(accuracy), check_note(latency)),
        deployments=(DeploymentNote("digits", "embedded"),),
        failure=FailureNote("contract", "broken" + hostile, "test_x.py", 3, "call"),
    )
    note = TestNote.from_text(note.as_text())
    return RunReport(
        mode="embedded",
        chosen_by="--wml" + hostile,
        at="2026-01-02 03:04 UTC",
        versions={"pytest" + hostile: "9" + hostile},
        exit_status=1,
        counts={"failed": 1},
        ran=1,
        tests=(ReportedTest(note, "failed", 0.5, "why" + hostile),),
        deployments=(DeploymentNote("model" + hostile, "embedded", "ab", "model", hostile, "/x/" + hostile),),
        doubts=("doubt" + hostile,),
        faults=("fault" + hostile,),
        outside=("outside" + hostile,),
    )


@contextlib.contextmanager
def looking(chromium, path, **settings):
    """The page in a browser; in the end it has asked for nothing, and nothing is on its console."""
    console, asked = [], []
    context = chromium.new_context(**settings)
    try:
        shown = context.new_page()
        shown.on("console", lambda message: console.append(message.text))
        shown.on("pageerror", lambda error: console.append(str(error)))
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto(path.as_uri())
        yield shown
    finally:
        context.close()
    assert [address for address in asked if not address.startswith("data:")] == [path.as_uri()]
    assert console == []


def written(tmp_path, hostile=""):
    path = tmp_path / "index.html"
    path.write_text(page(report(hostile)), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_seen(chromium, tmp_path, scheme):
    """Checks, a matrix with its diagonal, bars, a histogram, an image that loads; nothing is wider than a phone."""
    size = {"width": 360, "height": 800}
    with looking(chromium, written(tmp_path), color_scheme=scheme, viewport=size) as shown:
        assert shown.locator(".check:visible").count() == 2
        assert shown.locator(".matrix td.right").all_inner_texts() == ["7"] * 10
        assert shown.locator(".bars .most .value").inner_text() == "70.0 %"
        assert shown.locator(".latency rect").count() == 3
        assert shown.locator(".sample img").evaluate("image => image.naturalWidth") == 28
        assert shown.evaluate("document.documentElement.scrollWidth") <= 360
        ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(15, 18, 22)") == (scheme == "dark")


@pytest.mark.slow
def test_a_phone_shows_each_label_beside_its_value(chromium, tmp_path):
    """Of measures as of tests: nothing is cut off at the edge, and nothing stands nearer to another's label."""
    with looking(chromium, written(tmp_path), viewport={"width": 390, "height": 844}) as shown:
        cells = shown.locator(".tests td").evaluate_all(
            """cells => cells.map(cell => [getComputedStyle(cell, "::before").content, cell.innerText,
                cell.getBoundingClientRect().right])"""
        )
        assert [label.strip('"').partition('"')[0].strip() for label, _, _ in cells[1:]] == [
            *("Requests", "Live calls", "Seconds")
        ]
        assert all(right <= 390 for _, _, right in cells)
        tops = shown.locator(".deployment dl div").evaluate_all(
            "pairs => pairs.map(pair => [...pair.children].map(part => part.getBoundingClientRect().top))"
        )
        assert tops
        assert all(abs(label - value) < 4 for label, value in tops)


@pytest.mark.slow
def test_it_is_operated_by_keyboard(chromium, tmp_path):
    """The filter leaves the broken checks."""
    with looking(chromium, written(tmp_path)) as shown:
        while shown.evaluate("document.activeElement.id") != "all":
            shown.keyboard.press("Tab")
        shown.keyboard.press("ArrowRight")
        assert shown.locator(".check:visible").count() == 1
        assert shown.locator(".check:visible").get_attribute("data-state") == "broken"


@pytest.mark.slow
def test_what_others_wrote_is_text(chromium, tmp_path):
    """Names of tests, labels, models and messages are shown letter by letter."""
    with looking(chromium, written(tmp_path, OWNED)) as shown:
        assert "owned" not in shown.title()
        assert shown.locator("script").count() == 0
        assert shown.locator("img").count() == 1
        assert OWNED in shown.locator(".tests th code").inner_text()


GIVEN = {
    "columns of a table": ({"": np.array([5.1, 3.5, 1.4, 0.2])}, [("", "5.1, 3.5, 1.4, 0.2")]),
    "several inputs": (
        {"age": np.array(41), "tags": np.array(["<b>", "b"])},
        [("age", "41"), ("tags", "&lt;b&gt;, b")],
    ),
    "a text": ({"": np.array("good")}, [("", "good")]),
    "64 columns": ({"": np.zeros(64)}, [("", f"{', '.join(['0'] * 16)}, … (64 values)")]),
    "a sequence": ({"": np.ones((3, 2))}, [("", "[3, 2]: 1, 1, 1, 1, 1, 1")]),
    "an image": ({"": np.zeros(784)}, []),
}


@pytest.mark.parametrize(("given", "told"), GIVEN.values(), ids=GIVEN)
def test_a_sample_shows_what_was_sent(given, told):
    """The values of each input by its name, unless they are an image."""
    sample = Sample(3, "1", "2", (), given)
    result = Result("classes", "m", "embedded", promised="", samples=(sample,), findings=(Finding("row 3", 3),))
    note = TestNote.from_text(TestNote("t", checks=(check_note(result),)).as_text())
    text = page(RunReport("embedded", "default", "", {}, tests=(ReportedTest(note, "failed"),)))
    values = re.search('<dl class="values".*?>(.*?)</dl>', text)
    shown = re.findall("<div>(?:<dt>(.*?)</dt>)?<dd>(.*?)</dd></div>", values[1]) if values else []
    assert shown == told


def test_what_cannot_be_seen_is_told():
    """A name that turns the text around, or half a character, is written as its number."""
    text = page(report("\u202e\ud800\x00"))
    assert text.encode("utf-8")
    assert "\\u202e\\ud800\\x00" in text


@pytest.mark.parametrize("shape", [(4,), (785,), (0,), (2, 2, 5), ()])
def test_a_row_that_is_no_image_has_none(shape):
    """A table's four columns are no picture of two by two pixels."""
    assert data_uri(np.zeros(shape)) == ""


@pytest.mark.parametrize("shape", [(784,), (28, 28), (28, 28, 3), (3, 28, 28), (500, 300)])
def test_an_image_is_a_png(tmp_path, shape):
    """Grey or coloured, channels first or last; Pillow reads the same pixels."""
    import base64
    import io

    image_module = pytest.importorskip("PIL.Image")
    made = image_module.open(io.BytesIO(base64.b64decode(data_uri(np.full(shape, 0.5)).partition(",")[2])))
    assert max(made.size) <= 64
    assert set(np.asarray(made).ravel().tolist()) == {128}
