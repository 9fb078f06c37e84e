"""One notebook in a real JupyterLab, driven by a real browser."""

import json
import time

from tests.jupyter.jupyter_server import LAB

PATIENCE_SECONDS = 30.0


class NotebookPage:
    """One notebook, open in one page."""

    def __init__(self, server, page, name):
        self.server = server
        self.page = page
        self.name = name
        self.path = server.root / name
        self.errors = []
        page.on("pageerror", self._note_error)

    def _note_error(self, error):
        # The inbox comes from a Blob URL. JupyterLab has errors of its own, when a kernel ends.
        if "blob:" in (error.stack or ""):
            self.errors.append(str(error))

    def open(self, app=LAB, *, kernel=True):
        """Load the page with the notebook in it."""
        self.page.goto(f"{self.server.url}/{app}/{self.name}?token={self.server.token}&reset")
        return self._wait_for_cells(kernel)

    def show(self):
        """Open the notebook in a JupyterLab that is loaded already."""
        self.command("docmanager:open", path=self.name)
        return self._wait_for_cells(kernel=True)

    def _wait_for_cells(self, kernel):
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        if kernel:
            self._wait_for_kernel()
        return self

    def leave(self):
        """Close the notebook, as it is; in JupyterLab, which stays for the next one."""
        self.page.remove_listener("pageerror", self._note_error)
        for told in self.server.root.glob("seen*"):
            told.unlink()
        if "/lab" not in self.page.url:
            self.page.close()
            return
        self.page.evaluate(
            "() => { for (const widget of [...window.jupyterapp.shell.widgets('main')])"
            " widget.dispose(); }"
        )

    def _wait_for_kernel(self):
        self.page.wait_for_function(
            "() => { const panel = window.jupyterapp?.shell.currentWidget;"
            " const session = panel?.sessionContext;"
            " return session?.session?.kernel?.connectionStatus === 'connected'; }",
            timeout=60_000,
        )

    def restart_kernel(self):
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
        )
        self._wait_for_kernel()

    def command(self, name, **arguments):
        """Run one of JupyterLab's commands, and wait for what it returns."""
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)",
            [name, arguments],
        )

    def start(self, number):
        """Run a cell, without waiting for its end."""
        self.page.evaluate(
            "(number) => { const app = window.jupyterapp;"
            " app.shell.currentWidget.content.activeCellIndex = number;"
            " app.commands.execute('notebook:run-cell'); }",
            number,
        )

    def run(self, number, timeout=60):
        """Run a cell to its end; returns its text output."""
        self.start(number)
        return self.finish(number, timeout)

    def finish(self, number, timeout=60):
        """Wait until a started cell has ended; returns its text output."""
        running = self.page.locator(".jp-CodeCell").nth(number).get_by_text("[*]:")
        running.wait_for(state="detached", timeout=1e3 * timeout)
        self.page.wait_for_function(
            "(n) => /\\[\\d+\\]/.test(document.querySelectorAll('.jp-CodeCell')[n]"
            "?.querySelector('.jp-InputPrompt')?.textContent ?? '')",
            arg=number,
            timeout=1e3 * timeout,
        )
        text = self.text(number)
        assert "Traceback" not in text, text
        return text

    def is_running(self, number):
        return self.page.locator(".jp-CodeCell").nth(number).get_by_text("[*]:").count() == 1

    def tell(self, what):
        """Say it to code in the kernel that does something `until` then."""
        (self.server.root / what).touch()

    def release(self, number):
        """End a cell that works until "seen": what has been seen was seen while it ran."""
        assert self.is_running(number)
        self.tell("seen")
        self.finish(number)

    def text(self, number):
        texts = self.page.locator(".jp-CodeCell").nth(number).locator(".jp-OutputArea-output pre")
        return "\n".join(texts.all_inner_texts())

    def save(self):
        self.command("docmanager:save")
        return json.loads(self.path.read_text())

    @property
    def inbox(self):
        return self.page.locator(".whl")

    @property
    def lines(self):
        return self.page.locator(".whl-rows .whl-line:visible")

    def cells(self, column, view=0):
        """What a column of the table shows, from the top; of one of the inboxes that are shown."""
        return self.page.evaluate(
            "([column, view]) => [...document.querySelectorAll('.whl')[view]"
            "?.querySelectorAll('.whl-rows .whl-line') ?? []]"
            ".filter((line) => line.style.display !== 'none')"
            ".sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))"
            ".map((line) => line.querySelector(`.whl-c-${column}`).textContent)",
            [column, view],
        )

    def wait_total(self, count, timeout=PATIENCE_SECONDS):
        self.page.wait_for_function(
            "(text) => document.querySelector('.whl-counts')?.textContent.startsWith(text)",
            arg=f"{count:,} deliver",
            timeout=1e3 * timeout,
        )

    def wait_first_row(self):
        self.lines.first.wait_for()

    def wait_rows(self, *seqs, view=0):
        """Until the table shows just these rows, from the top."""

        def shown():
            return self.cells("seq", view)

        self._until(lambda: shown() == list(seqs), shown)

    def wait_top(self, seq):
        """Until this row is the uppermost in sight."""
        self._until(lambda: self.cells("seq")[:1] == [seq], lambda: self.cells("seq")[:3])

    def wait_shown(self, seqs, why):
        """Until the table has as many lines as that, and those in sight are the newest of them."""
        expected = [str(seq) for seq in reversed(seqs)]

        def fits():
            count = int(self.page.locator(".whl-grid").get_attribute("aria-rowcount") or 1) - 1
            shown = self.cells("seq")
            return count == len(expected) and shown == expected[: len(shown)]

        self._until(fits, lambda: (why, expected[:5], self.cells("seq")[:5]))

    def wait_selected(self, seq):
        selected = self.page.locator(".whl-line[aria-selected=true] .whl-c-seq")
        self._until(lambda: selected.all_inner_texts() == [seq], selected.all_inner_texts)

    def wait_clipboard(self, text):
        read = "() => navigator.clipboard.readText()"
        self._until(lambda: self.page.evaluate(read) == text, lambda: self.page.evaluate(read))

    @property
    def status(self):
        return self.page.locator(".whl-status").first.inner_text()

    def wait_status(self, text, timeout=PATIENCE_SECONDS):
        self._until(lambda: self.status == text, lambda: self.status, timeout)

    def _until(self, condition, shown, timeout=PATIENCE_SECONDS):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, shown()
            self.page.wait_for_timeout(50)

    def held_seqs(self):
        """All rows that can be scrolled to, oldest first. The table grows, so that it goes fast."""
        seqs = self.page.evaluate(
            """async () => {
                const frame = () => new Promise((done) => requestAnimationFrame(() => done()));
                const grid = document.querySelector('.whl-grid');
                grid.style.height = '6000px';
                await frame();
                const seqs = new Set();
                for (let top = 0; top < grid.scrollHeight; top += 5900) {
                    grid.scrollTop = top;
                    await frame();
                    await frame();
                    for (const cell of document.querySelectorAll('.whl-rows .whl-line .whl-c-seq'))
                        if (cell.parentElement.style.display !== 'none') seqs.add(cell.textContent);
                }
                grid.style.height = '';
                return [...seqs].map(Number);
            }"""
        )
        return sorted(seqs)

    def scroll_to(self, top):
        """Scroll the table so far, and wait until it shows what is there."""
        self.page.evaluate(
            """async (top) => {
                const frame = () => new Promise((done) => requestAnimationFrame(() => done()));
                const rows = () => document.querySelector('.whl-rows').textContent;
                document.querySelector('.whl-grid').scrollTop = top;
                // A line is used again for another row: none is to change under a click.
                for (let same = 0, before = null; same < 3; before = rows()) {
                    await frame();
                    same = rows() === before ? same + 1 : 0;
                }
            }""",
            top,
        )

    def click_row(self, seq):
        cell = self.page.locator(".whl-rows .whl-c-seq").get_by_text(str(seq), exact=True)
        cell.locator("visible=true").click()

    def place_of(self, seq):
        """How far below the table's top a row stands."""
        cell = self.page.locator(".whl-rows .whl-c-seq").get_by_text(str(seq), exact=True)
        grid = self.page.locator(".whl-grid")
        return cell.locator("visible=true").bounding_box()["y"] - grid.bounding_box()["y"]
