"""Make the README's pictures: `python -m tests.screenshots`, from a real JupyterLab."""

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.jupyter.jupyter_server import QUIET, ROOT, JupyterServer, chromium_path
from tests.jupyter.lab_page import NotebookPage

IMAGES = ROOT / "notebooks" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
CELLS = (
    "from webhooklab import Lab\n\nlab = Lab()\nlab",
    """from webhooklab.demo import Shop

shop = Shop(seed=7, webhook_url=lab.url + "shop")
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
    notebook.wait_total(40)
    notebook.click_row(38)
    for name, theme in THEMES.items():
        notebook.command("apputils:change-theme", theme=theme)
        # The theme's stylesheet arrives some frames after the command has returned.
        notebook.page.wait_for_function(
            "(dark) => (document.body.dataset.jpThemeLight === 'false') === dark",
            arg=name == "dark",
        )
        notebook.page.wait_for_load_state("networkidle")
        IMAGES.mkdir(exist_ok=True)
        notebook.inbox.first.screenshot(path=IMAGES / f"inbox-{name}.png")
        notebook.page.screenshot(path=f"{tempfile.gettempdir()}/inbox-page-{name}.png")


if __name__ == "__main__":
    main()
