"""Nothing from the wire is more than text: in no cell, no fact and no tab."""

import json

import pytest

from tests.inputs import needs_corpora
from tests.jupyter.hostile_parts import MARKUP
from tests.jupyter.jupyter_server import ROOT
from tests.jupyter.test_inbox_live import SETUP

STRINGS = ROOT.parent / "shared" / "corpora" / "hostile" / "strings" / "blns.json"

FILL = """
from tests.jupyter.hostile_parts import *
print(*fill_with(lab, json.loads(TEXTS)))
"""

# Looks at rows one after the other, from the newest; at some in each tab, with each button of it.
WALK = """async ([singles, several, harmless]) => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => done()));
    const grid = document.querySelector('.whl-grid');
    const press = (key) => grid.dispatchEvent(
        new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    const seen = { markup: [], keys: [], cells: [], pres: [], tabs: 0 };
    const texts = (selector) =>
        [...document.querySelectorAll(selector)].map((each) => each.textContent);
    const look = () => {
        for (const each of document.querySelectorAll('.whl *')) {
            const names = [...each.attributes].map((one) => one.name);
            const bad = names.some((one) => /^on|^href|^src/.test(one));
            if (bad || !harmless.includes(each.localName)) seen.markup.push(each.outerHTML);
        }
    };
    const lookAtTab = async (tab) => {
        tab.click();
        for (let waited = 0; waited < 300 && document.querySelector('.whl-wait'); waited++)
            await frame();
        const search = document.querySelector('.whl-panel input');
        if (search) search.dispatchEvent(new Event('input'));
        const collect = () => {
            look();
            seen.tabs++;
            seen.keys.push(...texts('.whl-key'));
            seen.cells.push(...texts('.whl-panel td'));
            seen.pres.push(...texts('.whl-pre'));
        };
        collect();
        for (const button of document.querySelectorAll('.whl-choice button')) {
            button.click();
            collect();
        }
    };
    press('Home');
    for (let row = 0; row < singles; row++) {
        await frame();
        if (row % 10 === 0) look();
        press('ArrowDown');
    }
    for (let row = 0; row < several; row++) {
        await frame();
        const count = document.querySelectorAll('.whl-tab').length;
        for (let at = 0; at < count; at++)
            await lookAtTab(document.querySelectorAll('.whl-tab')[at]);
        press('ArrowDown');
    }
    return seen;
}"""
HARMLESS = (
    *("button", "code", "details", "div", "h4", "input", "li", "p", "pre", "section", "span"),
    *("strong", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul", "dl", "dt", "dd"),
)


def texts_to_show():
    naughty = json.loads(STRINGS.read_text()) if STRINGS.exists() else []
    return list(dict.fromkeys(MARKUP + [text for text in naughty if text]))


@pytest.mark.timeout(240)
def test_nothing_from_the_wire_is_more_than_text(notebook, context):
    texts = texts_to_show()
    cell = "import json\n" + FILL.replace("TEXTS", repr(json.dumps(texts)))
    page = notebook(SETUP + "inbox.display()", cell)
    outside, dialogs = [], []
    page.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    context.on("request", lambda request: outside.append(request.url))
    page.run(0)
    singles, several = map(int, page.run(1).split())
    page.wait_total(singles + several)
    page.page.get_by_role("button", name="Follow").focus()
    seen = page.page.evaluate(WALK, [singles, several, list(HARMLESS)])
    page.page.get_by_role("button", name="Group by entity").click()
    page.page.locator(".whl-group").first.wait_for()

    assert seen["markup"] == []
    assert dialogs == []
    assert [url for url in outside if not url.startswith((page.server.url, "blob:", "data:"))] == []
    # They were all there to be seen: as keys, in tables of headers and forms, as raw text.
    assert seen["tabs"] >= several * 5
    assert set(texts) <= set(seen["keys"])
    printable = {text for text in texts if text.isprintable()}
    assert {text for text in printable if text.isascii()} <= set(seen["cells"])
    raw = "\n".join(seen["pres"])
    assert {text for text in printable if text not in raw} == set()


TORTURED = """
from tests.inputs import files, send
every = files("hostile/json/test_parsing") | files("hostile/json/test_transform")
send(lab.url, [("application/json", body) for body in every.values()])
print(len(every))
"""


@needs_corpora
@pytest.mark.timeout(240)
def test_tortured_json_is_shown_whatever_it_is(notebook):
    """JSONTestSuite: in each tab, the tree of what is JSON, and the bytes of what is none."""
    page = notebook(SETUP + "inbox.display()", TORTURED)
    page.run(0)
    count = int(page.run(1))
    assert count > 80
    page.wait_total(count)
    page.page.get_by_role("button", name="Follow").focus()
    seen = page.page.evaluate(WALK, [0, count, list(HARMLESS)])
    assert seen["markup"] == []
    assert seen["tabs"] >= count * 4
    assert {"a", "id", "max", "min", "x"} <= set(seen["keys"])
