"""Make the README's pictures: `python -m tests.screenshots`, from a real JupyterLab."""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.jupyter.jupyter_server import QUIET, ROOT, JupyterServer, chromium_path
from tests.jupyter.lab_page import NotebookPage

IMAGES = ROOT / "notebooks" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
COLOURS = 128
CELLS = (
    "from webhooklab import Lab\n\nlab = Lab()\nlab",
    """from webhooklab.demo import Faults, Shop

shop = Shop(seed=7, faults=Faults(duplicated=0.2))
lab.verify_with("standardwebhooks", shop.secret)
shop.send_to(lab.url + "shop")
with lab.expect(40):
    shop.advance(40)""",
)


def main():
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(QUIET))
        server = JupyterServer(Path(folder))
        try:
            take(browser, server)
        finally:
            server.stop()
            browser.close()


def take(browser, server):
    server.write("inbox.ipynb", CELLS)
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    notebook = NotebookPage(server, context.new_page(), "inbox.ipynb").open()
    notebook.run(0)
    notebook.run(1)
    notebook.lines.nth(10).wait_for()
    notebook.page.locator(".whl-mark:visible").first.wait_for()
    notebook.click_row(notebook.cells("seq")[2])
    for name, theme in THEMES.items():
        notebook.command("apputils:change-theme", theme=theme)
        # The theme's stylesheet arrives some frames after the command has returned.
        notebook.page.wait_for_function(
            "(dark) => (document.body.dataset.jpThemeLight === 'false') === dark",
            arg=name == "dark",
        )
        notebook.page.wait_for_load_state("networkidle")
        IMAGES.mkdir(exist_ok=True)
        save_small(notebook.inbox.first.screenshot(), IMAGES / f"inbox-{name}.png")
        notebook.page.screenshot(path=f"{tempfile.gettempdir()}/inbox-page-{name}.png")


def save_small(png, path):
    """With as many colours as one can tell apart here: a third of the size."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main()
