"""The page in a browser, with real events."""

from __future__ import annotations

import contextlib
import json

import pytest

from pytest_wml.interception import open_door
from pytest_wml.wml.hosts import Hosts
from tests.emulator.page.browsing import FIVE, FOUR, draw, looking, score, settled
from tests.emulator.page.conftest import PUMP, SAMPLE
from tests.emulator.rest import tarred

pytestmark = pytest.mark.slow

OWNED = "<img src=x onerror=\"document.title='owned'\">"


def verdict(page) -> str:
    return page.locator("#label").inner_text()


def shares(page) -> list[float]:
    """The bars' numbers, in percent."""
    return [float(text.removesuffix(" %")) for text in page.locator("#bars .value").all_inner_texts()]


def pad_pixel(page) -> list[int]:
    """The colour of the drawing area's first pixel that has ink."""
    return page.evaluate(
        """() => {
            const pad = document.getElementById("pad");
            const data = pad.getContext("2d").getImageData(0, 0, pad.width, pad.height).data;
            const place = data.findIndex((value, index) => index % 4 === 3 && value === 255);
            return Array.from(data.slice(place - 3, place));
        }"""
    )


def brightness(page, selector: str) -> float:
    colour = page.locator(selector).evaluate("element => getComputedStyle(element).backgroundColor")
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    return (red + green + blue) / 3


def keras_digits(folder) -> bytes:
    """A network that was never trained, as a Keras file: images [?, 28, 28, 1] to ten probabilities."""
    import keras

    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    keras.Sequential(layers).save(folder / "model.keras")
    return tarred(model__keras=(folder / "model.keras").read_bytes())


@pytest.mark.parametrize(("strokes", "digit"), [(FIVE, 5), (FOUR, 4)])
def test_a_digit_drawn_with_the_mouse_is_recognised(chromium, served, strokes, digit):
    """The class in large, ten bars that add up, the longest of them the digit's."""
    with looking(chromium, served[0]) as page:
        draw(page, strokes)
        score(page)
        assert verdict(page) == str(digit)
        values = shares(page)
        assert len(values) == 10
        assert sum(values) == pytest.approx(100, abs=0.6)
        assert values.index(max(values)) == digit
        widths = page.locator("#bars .fill").evaluate_all("fills => fills.map(fill => fill.style.width)")
        assert max(range(10), key=lambda place: float(widths[place].removesuffix("%"))) == digit


@pytest.mark.parametrize(("size", "left", "top"), [(0.3, 0.02, 0.65), (0.5, 0.5, 0.0), (1.0, 0.0, 0.0)])
def test_size_and_place_of_a_drawing_do_not_matter(chromium, served, size, left, top):
    """It is brought to the form that the network was trained on."""
    strokes = [[(left + size * x, top + size * y) for x, y in stroke] for stroke in FIVE]
    with looking(chromium, served[0]) as page:
        draw(page, strokes)
        score(page)
        assert verdict(page) == "5"


def test_a_digit_drawn_with_a_finger_is_recognised(chromium, served):
    """Touch draws, and does not scroll."""
    with looking(chromium, served[0], has_touch=True, viewport={"width": 360, "height": 700}) as page:
        page.locator("#pad").scroll_into_view_if_needed()
        box = page.locator("#pad").bounding_box()
        scrolled = page.evaluate("scrollY")
        touch = page.context.new_cdp_session(page)
        x = box["x"] + box["width"] / 2
        places = [{"x": x, "y": box["y"] + box["height"] * part / 20} for part in range(3, 18)]
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": places[:1]})
        for place in places[1:]:
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert page.evaluate("scrollY") == scrolled
        score(page)
        assert verdict(page) == "1"


def test_a_digit_is_drawn_and_scored_by_keyboard_alone(chromium, served):
    """Arrows move, space puts the pen down, enter scores; the way is told to screen readers."""
    with looking(chromium, served[0]) as page:
        while page.evaluate("document.activeElement.id") != "pad":
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert "Pen down" in page.locator("#spoken").inner_text()
        for _ in range(14):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        assert page.locator("#spoken").inner_text() == "Pen up, column 14, row 21 of 28"
        page.keyboard.press("Enter")
        settled(page)
        assert verdict(page) == "1"
        assert page.locator("#spoken").inner_text().startswith("Answer: 1 ")
        page.keyboard.press("Delete")
        assert page.locator("#pad-empty").is_visible()


def test_a_real_digit_is_chosen_and_scored_by_keyboard_alone(chromium, served):
    """Everything is reached by Tab, and shows that it has the focus."""
    with looking(chromium, served[0]) as page:
        page.get_by_role("button", name="A real 4").wait_for()
        reached = []
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                break
            name, outline = page.evaluate(
                """() => {
                    const focus = document.activeElement;
                    const shown = focus.type === "radio" ? focus.nextElementSibling : focus;
                    const name = focus.getAttribute("aria-label") || focus.id || focus.value;
                    return [name, getComputedStyle(shown).outlineStyle];
                }"""
            )
            assert outline == "solid", name
            reached.append(name)
            if name == "A real 4":
                page.keyboard.press("Enter")
            if name == "go":
                page.keyboard.press("Enter")
                settled(page)
        assert {"chosen", "draw", "Drawing area for a digit", "go", "clear"} <= set(reached)
        assert "Copy the scoring URL of digits" in reached
        assert verdict(page) == "4"


def test_everything_that_can_be_operated_has_a_name(chromium, served):
    """For screen readers."""
    with looking(chromium, served[0]) as page:
        page.get_by_role("button", name="A real 9").wait_for()
        names = page.locator("button, select, textarea, input, canvas[role]").evaluate_all(
            """all => all.map(one => [one.outerHTML, one.getAttribute("aria-label")
                || [...(one.labels ?? [])].map(label => label.textContent).join("") || one.textContent])"""
        )
        assert [html for html, name in names if not name.strip()] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_as_light_or_dark_as_the_visitor_wants(chromium, served, scheme):
    """Also the ink, and also when the wish changes while the page is open."""
    other = {"light": "dark", "dark": "light"}[scheme]
    with looking(chromium, served[0], color_scheme=other) as page:
        draw(page, FIVE)
        # Added after the page's own listener, so that it is called after that one.
        page.evaluate(
            """() => {
                const dark = matchMedia("(prefers-color-scheme: dark)");
                window.redrawn = new Promise(done => dark.addEventListener("change", done, {once: true}));
            }"""
        )
        page.emulate_media(color_scheme=scheme)
        page.evaluate("() => window.redrawn.then(() => true)")
        assert (brightness(page, "body") < 60) == (scheme == "dark")
        assert (brightness(page, "#pad") < 60) == (scheme == "dark")
        assert (sum(pad_pixel(page)) > 600) == (scheme == "dark")
        score(page)
        assert verdict(page) == "5"


def test_nothing_moves_for_who_wants_no_motion(chromium, served):
    """The bars are there at once."""
    with looking(chromium, served[0], reduced_motion="reduce") as page:
        durations = page.locator("#bars .fill").first.evaluate("fill => getComputedStyle(fill).transitionDuration")
        assert durations == "0s"


def test_the_page_fits_a_telephone(chromium, served):
    """Nothing has to be scrolled sideways at 360 pixels, whatever the names are."""
    url, rest = served
    long = rest.create_deployment(rest.store(b"content", name="m" * 180), name="d" * 180).json["metadata"]["id"]
    with looking(chromium, url, viewport={"width": 360, "height": 700}) as page:
        page.locator("#chosen").select_option("digits")
        page.locator("#chosen-state[data-state=ready]").wait_for()
        draw(page, FIVE)
        score(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    rest.space("DELETE", f"/ml/v4/deployments/{long}")


def test_names_are_text_whatever_is_in_them(chromium, own):
    """Of spaces, models, deployments, types and in what is scored."""
    url, rest = own
    rest.send("POST", "/v2/spaces", {"name": OWNED})
    model = rest.store(SAMPLE, name=OWNED)
    deployment = rest.create_deployment(model, name=OWNED).json["metadata"]["id"]
    rest.score(deployment, {"id": OWNED, "values": [OWNED]})
    with looking(chromium, url) as page:
        page.locator("#scorings li").wait_for()
        for listing in ("spaces", "models", "deployments"):
            assert OWNED in page.locator(f"#{listing} strong").all_inner_texts()
        assert page.locator("#chosen option").all_inner_texts() == [OWNED]
        assert OWNED.replace('"', '\\"') in page.locator("#scorings code").inner_text()
        assert page.locator("img[src=x]").count() == 0
        assert page.title() == "Embedded WML"


def test_who_has_nothing_is_told_the_first_steps_and_they_work(chromium, own):
    """They are run as they stand on the page, with IBM's client."""
    url, rest = own
    with looking(chromium, url) as page:
        assert page.get_by_role("heading", name="Nothing is deployed yet").is_visible()
        steps = page.locator("#first-steps").inner_text()
        with open_door(rest.app, Hosts.of([url.removeprefix("https://")])), contextlib.redirect_stdout(None):
            exec(compile(steps, "first steps", "exec"), {})
        page.locator("#chosen-state[data-state=ready]").wait_for()
        assert page.locator("#deployments strong").inner_text() == "digits"
        draw(page, FOUR)
        score(page)
        assert verdict(page) == "4"


def test_a_deployment_becomes_ready_when_it_is_looked_at(chromium, own):
    """Nobody else has asked for it."""
    url, rest = own
    deployment = rest.create_deployment(rest.store(SAMPLE)).json
    assert deployment["entity"]["status"]["state"] == "initializing"
    with looking(chromium, url) as page:
        page.locator("#deployments .pill[data-state=ready]").wait_for()


def test_a_deployment_that_failed_says_why(chromium, own):
    """In the list, and where it would be scored."""
    url, rest = own
    rest.deploy(b"no archive")
    with looking(chromium, url) as page:
        page.locator("#chosen-state[data-state=failed]").wait_for()
        for place in ("#problem", "#deployments .problem"):
            assert "no readable archive" in page.locator(place).inner_text()


def test_a_model_of_another_kind_is_scored_with_json(chromium, own, tiny):
    """Its signature is shown, a request is there to start from, and what it refuses is told."""
    url, rest = own
    rest.ready(tiny("lookup"))
    with looking(chromium, url, refused=1) as page:
        page.locator("#payload").wait_for()
        assert page.locator("#signature").inner_text() == "index: int64 [?] → value: float32 [?]"
        assert page.get_by_label("Draw", exact=True).is_disabled()
        score(page)
        assert verdict(page) == "10"
        page.locator("#payload").fill('{"input_data": [{"values": [2, 1]}]}')
        page.keyboard.press("Control+Enter")
        settled(page)
        assert verdict(page) == "12"
        assert "[12, 11]" in page.locator("#document").inner_text()
        page.locator("#payload").fill('{"input_data": [{"values": ["2"]}]}')
        score(page)
        assert "Input 'index' takes int64" in page.get_by_role("alert").inner_text()
        page.locator("#payload").fill("{")
        score(page)
        assert "not JSON" in page.get_by_role("alert").inner_text()


PUMPS = [[52, 1.8, 6.1, 10.8], [66, 4.6, 5.3, 12.8], [85, 9.6, 4.0, 16.1]]
"""Readings of a healthy, a worn and a failing pump."""


def scored_rows(page, rows) -> list[str]:
    """The answers that are listed to rows sent as JSON."""
    page.locator("#payload").fill(json.dumps({"input_data": [{"values": rows}]}))
    score(page)
    return page.locator("#rows button strong").all_inner_texts()


def test_every_row_is_answered_with_as_many_bars_as_classes(chromium, own):
    """A table's rows: each has its class, and its bars when it is chosen."""
    url, rest = own
    rest.ready(PUMP)
    with looking(chromium, url) as page:
        page.locator("#payload").wait_for()
        assert page.locator("#bars li").count() == 3
        assert scored_rows(page, PUMPS) == ["0", "1", "2"]
        assert page.locator("#bars li").count() == 3
        assert verdict(page) == "0"
        assert "row 1 of 3" in page.locator("#sureness").inner_text()
        page.get_by_role("button", name="row 3").click()
        assert verdict(page) == "2"
        values = shares(page)
        assert values.index(max(values)) == 2
        assert scored_rows(page, PUMPS[:1]) == []
        assert verdict(page) == "0"
        kept = page.locator("#scorings > li").nth(1).locator("strong")
        kept.nth(2).wait_for()
        assert kept.all_inner_texts() == ["0", "1", "2"]
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_several_inputs_get_an_answer_for_each_row(chromium, own, tiny):
    """A number each, and no bars: these are no classes."""
    url, rest = own
    rest.ready(tiny("two_inputs"))
    body = {"input_data": [{"id": "left", "values": [[1, 2], [3, 4]]}, {"id": "right", "values": [1, 2]}]}
    with looking(chromium, url) as page:
        page.locator("#payload").fill(json.dumps(body))
        score(page)
        assert page.locator("#rows button strong").all_inner_texts() == ["4", "9"]
        assert page.locator("#bars li").count() == 0


def test_the_reason_why_nothing_is_drawn(chromium, own):
    """Stands beside the choice, and is told to screen readers."""
    url, rest = own
    rest.ready(PUMP)
    with looking(chromium, url) as page:
        reason = page.locator("#no-drawing")
        reason.wait_for()
        assert "does not take one image of 28 × 28" in reason.inner_text()
        draw_choice = page.get_by_label("Draw", exact=True)
        assert draw_choice.is_disabled()
        assert draw_choice.get_attribute("aria-describedby") == "no-drawing"


def test_a_refused_scoring_leaves_nothing_of_before(chromium, own):
    """The answer before is gone, and nobody is told to wait for one."""
    url, rest = own
    rest.ready(PUMP)
    with looking(chromium, url, refused=1) as page:
        page.locator("#payload").wait_for()
        assert page.locator("#sureness").inner_text() == "No answer yet"
        scored_rows(page, PUMPS)
        assert scored_rows(page, [[1, 2]]) == []
        assert (verdict(page), page.locator("#sureness").inner_text()) == ("–", "Refused")
        assert shares_shown(page) == [""] * 3
        page.locator("#payload").fill("{")
        score(page)
        assert page.locator("#sureness").inner_text() == "Not sent"


def shares_shown(page) -> list[str]:
    return page.locator("#bars .value").all_inner_texts()


@pytest.mark.parametrize("width", [390, 1100])
def test_the_first_steps_are_not_covered_by_their_button(chromium, own, width):
    """Also on a phone, and however far the code is scrolled."""
    with looking(chromium, own[0], viewport={"width": width, "height": 844}) as page:
        code, button = (page.locator(f".snippet {part}").bounding_box() for part in ("pre", "button"))
        assert code["x"] + code["width"] <= button["x"]
        assert button["x"] + button["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_answer_without_a_number_is_shown(chromium, own, tiny):
    """The service writes a bare NaN, which browsers do not read."""
    url, rest = own
    rest.ready(tiny("not_a_number"))
    with looking(chromium, url) as page:
        page.locator("#payload").fill('{"input_data": [{"values": [-1.0, 4.0]}]}')
        score(page)
        assert verdict(page) == "nan"
        page.locator("#scorings strong", has_text="nan").wait_for()


def test_a_digit_is_drawn_for_a_model_whose_inputs_are_not_known(chromium, own, tmp_path):
    """A Keras file does not say what it takes before it runs; who scores it chooses the form of the rows."""
    url, rest = own
    rest.ready(keras_digits(tmp_path))
    with looking(chromium, url) as page:
        page.locator("#payload").wait_for()
        page.get_by_label("Draw", exact=True).check()
        page.get_by_label("Rows are").select_option("28 × 28 × 1")
        draw(page, FIVE)
        score(page)
        values = shares(page)
        assert verdict(page) == str(values.index(max(values)))
        assert sum(values) == pytest.approx(100, abs=0.6)


def test_scorings_by_others_show_up(chromium, own):
    """With the digit drawn and the answer, without anybody touching the page."""
    from pytest_wml.digits import load_digits

    url, rest = own
    deployment = rest.ready(SAMPLE)
    with looking(chromium, url) as page:
        assert page.locator("#no-scorings").is_visible()
        assert rest.score(deployment, {"values": [load_digits()[7].tolist()]}).status_code == 200
        item = page.locator("#scorings > li")
        item.wait_for()
        assert item.locator("strong").inner_text() == "7"
        ink = item.locator("canvas").evaluate(
            "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 28, 28).data)"
        )[3::4]
        drawn = [shade / 255 for shade in ink]
        assert drawn == pytest.approx(load_digits()[7].tolist(), abs=0.003)


def test_a_page_that_nobody_sees_asks_nothing(chromium, served):
    """It goes on when it is seen again."""
    with looking(chromium, served[0]) as page:
        page.clock.install()
        asked = []
        page.on("request", lambda request: asked.append(request.url))

        def seen(hidden: str) -> None:
            page.evaluate(
                f"""() => {{
                    Object.defineProperty(document, "hidden", {{ configurable: true, get: () => {hidden} }});
                    document.dispatchEvent(new Event("visibilitychange"));
                }}"""
            )

        seen("true")
        page.clock.run_for(120_000)
        assert asked == []
        with page.expect_request("**/page/state"):
            seen("false")


def test_the_scoring_url_is_copied(chromium, served):
    """As the API has it."""
    url, _ = served
    with looking(chromium, url, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.get_by_role("button", name="Copy the scoring URL of digits").click()
        page.get_by_text("Copied", exact=True).first.wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(f"{url}/ml/v4/deployments/")
        assert copied.endswith("/predictions")


ANSWERS = {
    "two outputs of a SavedModel": (
        [{"id": "classes", "values": [2]}, {"id": "probabilities", "values": [[0.1, 0.2, 0.7]]}],
        (2, [0.1, 0.2, 0.7]),
    ),
    "only probabilities": ([{"id": "dense", "values": [[0.1, 0.7, 0.2]]}], (1, [0.1, 0.7, 0.2])),
    "only a class": ([{"id": "classes", "values": [7, 2]}], (7, None)),
    "a Keras file": (
        [
            {
                "fields": ["prediction", "prediction_classes", "probability"],
                "values": [[[0.1, 0.9], 1, [0.1, 0.9]]],
            }
        ],
        (1, [0.1, 0.9]),
    ),
    "a classifier with names": (
        [{"fields": ["prediction", "probability"], "values": [["setosa", [0.8, 0.2]]]}],
        ("setosa", [0.8, 0.2]),
    ),
    "a regressor": ([{"fields": ["prediction"], "values": [[3.25]]}], (3.25, None)),
    "a pipeline": (
        [{"fields": ["age", "probability", "prediction"], "values": [[41, [0.3, 0.7], 1.0]]}],
        (1, [0.3, 0.7]),
    ),
    "a table": ([{"fields": ["age", "income", "prediction"], "values": [[41, 2.5, 1]]}], (1, None)),
    "a picture": ([{"id": "decoded", "values": [[[0.5] * 28] * 28]}], (None, None)),
    "an image": ([{"id": "decoded", "values": [[0.5] * 784]}], (None, None)),
    "several numbers": ([{"id": "forecast", "values": [[3.5, -1.0, 7.25]]}], (None, [3.5, -1.0, 7.25])),
    "very many classes": ([{"id": "probabilities", "values": [[0.0] * 999 + [1.0]]}], (999, [0.0] * 999 + [1.0])),
    "nothing": ([], (None, None)),
    "what has no form": ([None, 5, "text", {"values": None}, {"fields": 3, "values": {}}], (None, None)),
}


@pytest.fixture(scope="module")
def opened(chromium, served):
    """The page, once for all that only ask its code."""
    with looking(chromium, served[0]) as page:
        yield page


@pytest.mark.parametrize(("predictions", "read"), ANSWERS.values(), ids=ANSWERS)
def test_the_class_is_found_in_answers_of_every_form(opened, predictions, read):
    """What runtimes answer with, and what a function may."""
    found = opened.evaluate(
        "async answer => (await import('/page/answers.js')).reading(answer)", {"predictions": predictions}
    )
    assert (found["label"], found["vector"]) == read
