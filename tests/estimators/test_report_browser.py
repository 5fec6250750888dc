"""The page in a browser: no complaints, filters, keyboard, what a screen reader is told, dark and light, print."""

import json
import re

import pytest
from toy_claims import honest

from estimators import report as module
from estimators.command_line import run
from theory.rademacher import QUERY_BOUNDS
from theory.softmax import SOFTMAX_BOUNDS

websocket = pytest.importorskip("websocket", reason="needs websocket-client")
import chromium  # noqa: E402

STATEMENTS = SOFTMAX_BOUNDS | QUERY_BOUNDS

pytestmark = [
    pytest.mark.skipif(chromium.program() is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.xdist_group("chromium"),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "tail.csv").write_text("x,y\n1,2\n")
    (folder / "tail.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"/>')
    (folder / "tail.json").write_text(json.dumps({"about": "Tail mass", "command": "python -m estimators.figures"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CLAIMS", honest())
        patch.setattr(module, "SOURCES", ())
        patch.setattr(module, "STATEMENTS", STATEMENTS)
        words = ["--output", str(folder / "report.html"), "--figures", str(folder)]
        assert run(module.report, words) == 3  # its manifest has no hash
    return folder / "report.html"


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    made = chromium.Chromium(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture
def page(tab, path):
    tab.events.clear()
    tab.media()
    tab.open(path)
    yield tab
    assert tab.complaints() == []


def shown(page):
    return page.run("[...document.querySelectorAll('#ledger tbody tr')].filter(row => !row.hidden).map(row => row.id)")


def status(page, form="claim-filter"):
    return page.run(f"document.querySelector('#{form} [role=status]').textContent")


def choose(page, field, value):
    page.run(
        f"{{const field = document.getElementById('{field}'); field.value = {json.dumps(value)}; "
        "field.dispatchEvent(new Event('input', {bubbles: true}))}"
    )


def test_it_opens_and_shows_everything(page, path):
    assert status(page) == "5 of 5 claims shown"
    assert page.run("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    # The browser repairs nothing: it has the elements of the file.
    text = path.read_text()
    for name in ("article", "math", "mrow", "tr", "section", "a", "div"):
        assert page.run(f"document.querySelectorAll('{name}').length") == len(re.findall(rf"<{name}[ >]", text)), name


def test_formulas_are_drawn_in_two_dimensions(page):
    heights = page.run("[...document.querySelectorAll('.formula math')].map(one => one.getBoundingClientRect().height)")
    assert min(heights) > 10
    assert max(heights) > 60
    assert page.run(
        "[...document.querySelectorAll('mfrac')].every(one => one.children[0].getBoundingClientRect().bottom"
        " <= one.children[1].getBoundingClientRect().top + 1)"
    )


def test_filters(page):
    choose(page, "claim-filter-verdict", "refuted")
    assert shown(page) == ["claim-toy-wrong"]
    assert status(page) == "1 of 5 claims shown"
    choose(page, "claim-filter-verdict", "")
    choose(page, "claim-filter-encoding", "code1")
    assert shown(page) == ["claim-toy-quarter", "claim-toy-tight", "claim-toy-wrong"]
    choose(page, "claim-filter-text", "  TOY tight ")
    assert shown(page) == ["claim-toy-tight"]
    choose(page, "claim-filter-text", "nothing like it")
    assert (shown(page), status(page)) == ([], "0 of 5 claims shown")
    page.run("document.querySelector('#claim-filter button').click()")
    page.run("new Promise(done => setTimeout(done, 20))")
    assert status(page) == "5 of 5 claims shown"


def test_filters_of_bounds_hide_empty_topics(page):
    choose(page, "bound-filter-topic", "softmax")
    visible = "[...document.querySelectorAll('#bounds section')].filter(one => one.offsetHeight).map(one => one.id)"
    assert page.run(visible) == ["topic-softmax"]
    choose(page, "bound-filter-proof", "wrong")
    assert page.run(visible) == []
    assert status(page, "bound-filter").startswith("0 of ")


def test_a_link_to_a_hidden_row_shows_it(page):
    choose(page, "claim-filter-verdict", "refuted")
    page.run("location.hash = 'claim-toy-tight'; new Promise(done => setTimeout(done, 100))")
    assert "claim-toy-tight" in shown(page)


def test_keyboard_alone(page):
    page.press("Tab")
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("document.activeElement.getBoundingClientRect().left >= 0")
    outline = (
        "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"
    )
    assert page.run(outline) == "solid3px"
    page.press("Enter")
    page.run("new Promise(done => setTimeout(done, 100))")
    seen = []
    for _ in range(40):
        page.press("Tab")
        seen.append(page.run("document.activeElement.id || document.activeElement.textContent.slice(0, 30)"))
        assert page.run(outline) == "solid3px", seen
        if seen[-1] == "claim-filter-text":
            break
    order = ["claim-filter-topic", "claim-filter-encoding", "claim-filter-verdict", "claim-filter-text"]
    assert [one for one in seen if one.startswith("claim-filter")] == order
    assert "Ledger" not in seen  # the sections were skipped
    page.write("wrong")
    assert shown(page) == ["claim-toy-wrong"]


def test_a_narrow_window(page):
    wide = "document.querySelectorAll('.formula[tabindex]').length"
    page.call("Emulation.setDeviceMetricsOverride", width=320, height=640, deviceScaleFactor=1, mobile=True)
    try:
        page.run("new Promise(done => setTimeout(done, 100))")
        assert page.run("document.documentElement.scrollWidth") == 320  # tables and formulas scroll by themselves
        assert page.run(wide) > 0  # and the keyboard reaches them
    finally:
        page.call("Emulation.clearDeviceMetricsOverride")


def test_what_a_screen_reader_is_told(page):
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    told = [(one["role"]["value"], one.get("name", {}).get("value", "")) for one in nodes if not one["ignored"]]
    for expected in (
        ("main", ""),
        ("navigation", "Sections"),
        ("search", "Filter the claims"),
        ("combobox", "verdict"),
        ("searchbox", "text"),
        ("table", "Claims"),
        ("columnheader", "interval"),
        ("rowheader", "toy-wrong"),
        ("image", "Tail mass. The data follow."),
        ("heading", "The ledger of claims"),
    ):
        assert expected in told, expected
    live = [one for one in nodes if one["role"]["value"] == "status" and not one["ignored"]]
    assert len(live) == 2
    assert all({"name": "live", "value": {"type": "token", "value": "polite"}} in one["properties"] for one in live)
    assert sum(role == "MathMLMath" or role == "math" for role, _ in told) > len(STATEMENTS)


def test_dark_light_and_print(page, tmp_path):
    colours = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    page.media(prefers_color_scheme="light")
    assert page.run(colours) == ["rgb(255, 255, 255)", "rgb(27, 31, 36)"]
    page.media(prefers_color_scheme="dark")
    assert page.run(colours) == ["rgb(20, 23, 27)", "rgb(230, 233, 237)"]
    page.screenshot(tmp_path / "dark.png")
    assert (tmp_path / "dark.png").stat().st_size > 10_000
    page.media(type="print", prefers_color_scheme="dark")
    assert page.run(colours) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert page.run("[...document.querySelectorAll('nav, form')].every(one => !one.offsetHeight)")


def test_it_is_readable_without_script(tab, path):
    tab.events.clear()
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(path)
        nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
    rows = [one for one in nodes if one["role"]["value"] == "rowheader" and not one["ignored"]]
    assert len(rows) >= 5
    assert not [one for one in nodes if one["role"]["value"] == "searchbox" and not one["ignored"]]


def test_a_complaint_would_be_seen(tab, tmp_path):
    (tmp_path / "bad.html").write_text(
        "<!DOCTYPE html><meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
        "<script>1</script><img src=http://127.0.0.1:9/x.png>"
    )
    tab.events.clear()
    tab.open(tmp_path / "bad.html")
    assert len(tab.complaints()) >= 2
