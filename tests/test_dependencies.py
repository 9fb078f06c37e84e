"""What webhooklab brings along: licences that let it be used, and holes that are told."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from packaging.utils import canonicalize_name

from tests.dependencies.runtime import declared, installed
from tests.dependencies.vulnerabilities import Told, ask, verdict

ALLOWED = (
    *("MIT", "MIT License", "MIT-0", "MIT-CMU", "BSD License", "BSD-2-Clause", "BSD-3-Clause"),
    *("Apache 2.0", "Apache-2.0", "Apache License, Version 2.0", "Apache Software License"),
    *("ISC License (ISCL)", "PSF-2.0", "Python Software Foundation License"),
    *("Apache-2.0 OR BSD-2-Clause", "Apache-2.0 OR BSD-3-Clause", "Apache-2.0 AND BSD-2-Clause"),
    *("BSD-3-Clause AND ISC", "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0"),
    "Apache-2.0 AND BSD-2-Clause AND BSD-3-Clause AND ISC AND MIT",
    # Copyleft by file: who changes their files gives these away, and nothing of their own.
    *("MPL-2.0", "MPL-2.0 AND MIT", "MPL-2.0 AND (Apache-2.0 OR MIT)"),
    "Mozilla Public License 2.0 (MPL 2.0)",
)

KNOWN_HOLES = {
    "cryptography": "49.0.0",  # CVE-2026-69247
    "filelock": "3.20.2",  # CVE-2025-68146, CVE-2026-22701
    "jupyter-server": "2.20.0",  # CVE-2026-44727, CVE-2026-86049
    "jupyterlab": "4.6.1",  # GHSA-pppj-hq3g-57pj, GHSA-gx64-gj6p-pc4c
    "multipart": "1.3.0",  # CVE-2026-28356
    "orjson": "3.11.5",  # CVE-2025-67221
    "pyarrow": "23.0.0",  # CVE-2026-25087
    "tornado": "6.5.8",  # CVE-2025-67726, CVE-2026-31958, GHSA-mpf4-983q-p7j4, release 6.5.9
    "tqdm": "4.66.2",  # CVE-2024-34062
}
"""The last versions with a hole that was told of when these bounds were last looked at."""


def licences(*allowed):
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=csv"]
    command += ["--with-system", "--allow-only", ";".join(allowed), "--packages", *installed()]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_that_is_installed_with_it_has_a_licence_that_is_allowed():
    done = licences(*ALLOWED)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(installed()) + 1


def test_another_licence_is_found():
    done = licences(*(each for each in ALLOWED if each != "BSD-3-Clause"))
    assert done.returncode == 1
    assert "BSD-3-Clause not in allow-only" in done.stderr


def test_what_it_needs_is_followed_to_the_end():
    names = installed()
    assert {canonicalize_name(each.name) for each in declared()} <= set(names)
    assert {"h11", "numpy", "traitlets"} <= set(names), "what httpx, pandas, ipywidgets need"
    assert not {"pytest", "webhooklab"} & set(names)


def test_no_version_with_a_known_hole_is_asked_for():
    bounds = {canonicalize_name(each.name): each.specifier for each in declared()}
    open_to = {name: last for name, last in KNOWN_HOLES.items() if last in bounds[name]}
    assert not open_to


@contextmanager
def advisories(holes) -> Iterator[str]:
    """A source of advisories that knows these, by package, and speaks OSV's protocol."""

    class Source(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [advisory(each) for each in holes.get(asked["package"]["name"], [])]
            answer = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def advisory(name):
    return {"id": name, "summary": "a hole", "modified": "2026-01-01T00:00:00Z", "affected": []}


def checked(url):
    return verdict(
        ask(
            {"tornado": "6.5.0", "orjson": "3.11.0"},
            "--vulnerability-service=osv",
            f"--osv-url={url}",
        )
    )


def test_a_known_hole_fails():
    with advisories({"tornado": ["GHSA-aaaa-bbbb-cccc"]}) as url:
        code, said = checked(url)
    assert code == 1
    assert "tornado: GHSA-aaaa-bbbb-cccc" in said
    assert "orjson" not in said


def test_no_known_hole_passes():
    with advisories({}) as url:
        assert checked(url) == (0, "2 packages, no known vulnerabilities.")


def test_nobody_to_ask_is_said_and_is_no_clean_bill():
    with advisories({}) as url:
        pass
    code, said = checked(url)
    assert code == 0
    assert "NOT CHECKED" in said
    assert "no known vulnerabilities" not in said


def test_a_source_that_knows_only_some_fails():
    assert verdict(Told(silent=["orjson"], clean=1)) == (
        1,
        "Not checked, though others were: orjson",
    )
