"""The notebooks: committed clean, they run, offline, and show what they promise."""

import json
import re
import time
from pathlib import Path

import httpx
import pytest

from tests import command
from tests.api_parts import Api, shown
from tests.waiting import until
from webhooklab import read

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
PATIENCE_SECONDS = 300
"""For the tour, which takes one minute on a machine that has nothing else to do."""


def cells_of(path, kind="code"):
    found = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == kind]
    return {cell["id"]: cell | {"source": "".join(cell["source"])} for cell in found}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_is_committed_without_outputs(path):
    for cell in json.loads(path.read_text())["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_its_cells_ask_nobody_outside_and_its_links_lead_to_notebooks(path):
    for cell in cells_of(path).values():
        assert "https://" not in cell["source"]
    for cell in cells_of(path, "markdown").values():
        for name in re.findall(r"\]\((\w+\.ipynb)\)", cell["source"]):
            assert (FOLDER / name).exists()


# All of them, run once as `webhooklab demo --execute` does


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tour")
    return folder, command.run("demo", folder, "--execute", cwd=folder, timeout=PATIENCE_SECONDS)


def output_of(tour, name, cell):
    """What a cell shows, by media type; what was printed is "text/plain", too."""
    shown_ = {}
    for output in cells_of(tour[0] / name)[cell]["outputs"]:
        data = output.get("data") or {"text/plain": output.get("text", "")}
        shown_ |= {
            kind: "".join(text) for kind, text in data.items() if isinstance(text, str | list)
        }
    return shown_


@pytest.mark.timeout(PATIENCE_SECONDS + 20)
def test_all_run_without_a_browser_and_leave_a_csv(tour):
    _, done = tour
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" ok\n") == len(NOTEBOOKS)
    csv = Path(done.stdout.rpartition("CSV: ")[2].strip())
    assert len(read(csv)) >= 100


def test_the_second_one_overlooks_loses_and_ends_with_the_table_and_the_picture(tour):
    name = "02_webhooks_vs_api.ipynb"
    happened, seen = re.findall(r"\d+", output_of(tour, name, "seen")["text/plain"])
    assert int(seen) < int(happened)
    assert int(re.match(r"\d+", output_of(tour, name, "lost")["text/plain"])[0]) < 40
    assert "ord_" in output_of(tour, name, "missed")["text/html"]
    assert "no webhook for it ever reached us" in output_of(tour, name, "explain")["text/html"]
    glance = output_of(tour, name, "glance")["text/html"]
    assert re.search(r"[1-9]\d* never arrived", glance)
    assert re.search(r"overlooked [1-9]\d* change", glance)
    assert {"image/png"} <= set(output_of(tour, name, "what-if-plot"))


def test_its_live_comparison_is_readable_when_all_is_over(tour):
    live = output_of(tour, "02_webhooks_vs_api.ipynb", "live")
    assert "never came" in live["text/html"]
    assert not any("widget" in kind for kind in live)


def test_the_third_one_catches_stale_payloads_by_fetching(tour):
    name = "03_thin_events.ipynb"
    stale, of = re.findall(r"\d+", output_of(tour, name, "count")["text/plain"])
    assert 0 < int(stale) < int(of)
    assert "/status" in output_of(tour, name, "difference")["text/html"]
    assert "amount" not in output_of(tour, name, "thin")["text/plain"]
    assert "amount" in output_of(tour, name, "thin-state")["text/plain"]
    requests = re.search(r"requests</th><td[^>]*>(\d+)", output_of(tour, name, "cost")["text/html"])
    assert int(requests[1]) < 30


def test_the_sixth_one_gets_everything_to_a_service_that_fails_and_goes_away(tour):
    name = "06_forward_and_replay.ipynb"
    shown = output_of(tour, name, "send")["text/html"]
    sent, tries = re.search(r"(\d+) in (\d+) tries", shown).groups()
    assert (int(sent), int(tries) >= 20) == (20, True)
    assert "True" in output_of(tour, name, "same")["text/plain"]
    assert output_of(tour, name, "up")["text/plain"].startswith("5 of 5")
    assert "201" in output_of(tour, name, "reply")["text/plain"]
    assert "'invalid'" in output_of(tour, name, "changed")["text/plain"]
    assert "'valid'" in output_of(tour, name, "resign")["text/plain"]


def test_the_fourth_one_catches_forgeries_and_is_sent_again_what_it_failed(tour):
    def text(cell):
        return output_of(tour, "04_signatures_and_failures.ipynb", cell)["text/html"]

    assert text("forge").count("unchecked") == 2
    assert "True" in output_of(tour, "04_signatures_and_failures.ipynb", "by-hand")["text/plain"]
    assert re.findall(r">(valid|unsigned)<", text("verify")) == ["valid", "unsigned"]
    assert re.findall(r">(valid|invalid)<", text("break")) == ["valid"] + ["invalid"] * 3
    assert re.findall(r">(valid|invalid)<", text("tampered")) == ["valid", "invalid"]
    assert text("rotate").count(">valid<") == 2
    assert re.findall(r">(401|invalid)<", text("retired"))[:2] == ["401", "invalid"]
    assert "data:image/png" in text("retry")
    assert text("retry").count("<td>503</td>") == 3
    assert len(re.findall(r"<td>200</td>", text("duplicate"))) == 1


def test_one_that_fails_fails_the_command_and_a_users_copy_stays(tmp_path):
    folder = tmp_path / "tour"
    folder.mkdir()
    for notebook in NOTEBOOKS:
        mine = json.loads(notebook.read_text())
        mine["cells"] = [
            {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None,
             "source": "raise ValueError('mine')" if notebook == NOTEBOOKS[0] else "'mine, too'"}
        ]  # fmt: skip
        (folder / notebook.name).write_text(json.dumps(mine))
    done = command.run("demo", "tour", "--execute", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.count("FAILED") == 1
    assert "ValueError: mine" in done.stderr


# "Now with your own API": the code that is only shown, against an API like GitHub's


def blocks_of(name, base):
    """The Python that the last cell shows, asking `base` instead of GitHub."""
    text = cells_of(FOLDER / name, "markdown")["own"]["source"]
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return [block.replace("https://api.github.com/", base) for block in code]


def test_a_providers_secret_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_WEBHOOK_SECRET", "only here")
    check, fail, look = blocks_of("04_signatures_and_failures.ipynb", "")
    space = {}
    exec(check, space)
    lab = space["lab"]
    assert lab.send_sample("github").status == 200
    assert lab.send_sample("github", secret="guessed").status == 401
    exec(fail, space)
    assert lab.send_sample("github", again=3).status == 200
    assert eval(look, space)["answered"].dropna().tolist() == [503, 503, 503]
    lab.close()


def issue(number, minute, **more):
    times = {"updated_at": f"2026-01-01T10:{minute:02}:00Z", "created_at": "2026-01-01T10:00:00Z"}
    return {"id": 1_000 + number, "number": number, "title": f"at {minute}"} | times | more


def deliver(lab, *issues):
    for number, each in enumerate(issues):
        headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": f"{number}-{time.time_ns()}"}
        body = {"action": "edited", "issue": each, "repository": {"id": 1}}
        assert httpx.post(lab.url + "github", json=body, headers=headers).status_code == 200


def test_a_repositorys_issues_are_polled_with_one_request_and_compared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    issues = [issue(1, 0), issue(2, 1, pull_request={"url": "x"})]
    link = 'Link: <https://api.github.com/next>; rel="next"'
    with Api(lambda _: shown(issues, link, "X-RateLimit-Remaining: 59")) as api:
        poll, compare = blocks_of("02_webhooks_vs_api.ipynb", api.url)
        space = {}
        exec(poll, space)
        lab = space["lab"]
        until(lambda: len(lab.polls) == 1)
        (asked,) = api.asked
        assert asked.target == "/repos/OWNER/REPO/issues?state=all&sort=updated&per_page=100"
        assert lab.polls[["complete", "item_count", "rate_remaining"]].values.tolist() == [
            [True, 1, 59]
        ]
        (poller,) = lab._parts.pulling.pollers.values()
        assert 3_600 / poller.every < 60
        issues[0] = issue(1, 2)
        deliver(lab, issues[0])
        poller.poll_now()
        live = eval(compare, space)
        assert live.said["verdicts"][0][:2] == ["both", "1"]
        lab.close()


def test_an_issue_is_fetched_after_its_webhook_and_the_stale_one_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Api(lambda _: shown(issue(7, 5))) as api:
        fetch, look = blocks_of("03_thin_events.ipynb", api.url)
        space = {}
        exec(fetch, space)
        lab = space["lab"]
        deliver(lab, issue(7, 4), issue(7, 5))
        until(lambda: len(lab.fetches) == 2)
        assert set(api.targets) == {"/repos/OWNER/REPO/issues/7"}
        rows = eval(look, space)
        assert rows.set_index("seq")["superseded"].to_dict() == {1: True, 2: False}
        assert rows["entity_id"].tolist() == ["1007", "1007"]
        lab.close()


def test_a_relay_answers_for_the_lab_and_keeps_what_comes_while_it_is_away(tour):
    name = "05_reach_your_notebook.ipynb"
    answered = cells_of(tour[0] / name)["relay-03"]["outputs"]
    shown_ = "".join("".join(each.get("text", "")) for each in answered)
    assert '200 {"hello":"from the notebook"}' in shown_
    away = output_of(tour, name, "relay-05")
    assert away["text/plain"].count("/while-away/") == 5
    assert "relay" in away["text/plain"]
