"""Payloads that real providers sent, with the headers that they send."""

import pytest

from tests.inputs import needs_corpora
from tests.provider_corpora import requests
from tests.provider_table import TRUTH, main, table
from webhooklab.instants import parse_instant
from webhooklab.providers import interpret
from webhooklab.records import Request

pytestmark = needs_corpora

BY_BODY = ("amazon_ses", "brevo", "mailersend", "mailjet", "mailtrap", "postal", "postmark")
BY_BODY += ("resend", "sendgrid", "sparkpost", "unisender_go")


def test_every_payload_is_understood():
    rows = table()
    assert len(rows) >= 15
    assert sum(row.payloads for row in rows) == len(TRUTH) >= 110
    for row in rows:
        assert row.recognised == row.types == row.payloads, row
        assert row.entities == row.with_entity, row


def test_most_payloads_are_about_something():
    rows = {row.provider: row for row in table()}
    for provider in ("github", "gitlab", "slack", "gitea"):
        assert rows[provider].entities == rows[provider].payloads, provider


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("issues/opened.with-organization", ("issue", "updated_at")),
        ("issue_comment/edited", ("comment", "updated_at")),
        ("issue_comment/deleted", None),
        ("release/prereleased", ("release", "published_at")),
        ("release/edited", None),
        ("workflow_job/completed.failure.with-organization", ("workflow_job", "completed_at")),
        ("push/with-installation", ("repository", "pushed_at")),
        ("repository_dispatch/", None),
        ("create/", None),
        ("repository/publicized", ("repository", "updated_at")),
    ],
)
def test_when_an_event_of_github_was_or_that_it_does_not_say(file, path):
    """The times of a repository are of other changes than the one in it."""
    found = requests()[f"payloads/github-octokit/{file}.payload.json".replace("/.", "/")]
    said = interpret(found[1]).event.occurred_at
    expected = parse_instant(found[1].data[path[0]][path[1]]) if path else None
    assert said == expected
    assert (said is None) == (path is None)


def test_the_table_can_be_printed(capsys):
    main()
    assert "github" in capsys.readouterr().out


def test_who_sends_no_header_of_their_own_is_known_by_the_body():
    for provider, request in requests().values():
        if provider in BY_BODY:
            bare = _without_headers(request)
            assert interpret(bare).provider == provider, request.body[:80]


def _without_headers(request: Request) -> Request:
    return Request(
        received_at=0, method="POST", target="/", headers=type(request.headers)(), body=request.body
    )
