"""Real payloads as the requests that they were: with the headers their provider sends."""

import json
import re
from urllib.parse import urlencode

from tests.inputs import FORM, files
from tests.provider_cases import request
from webhooklab.records import Request

JSON = {"Content-Type": "application/json"}
MAIL = {
    "amazon_ses": {"x-amz-sns-message-type": "Notification", "Content-Type": "text/plain"},
    "mailersend": {"Signature": "0" * 64},
    "mandrill": {"X-Mandrill-Signature": "x"},
    "postal": {"X-Postal-Signature": "x"},
    "postmark": {"User-Agent": "Postmark"},
    "resend": {"svix-id": "msg_1", "svix-timestamp": "1", "svix-signature": "v1,x"},
    "sendgrid": {"User-Agent": "SendGrid Event API"},
}
"""Of those that send headers of their own."""


def requests() -> dict[str, tuple[str, Request]]:
    """File to provider and request, of all payloads that are one."""
    found = {}
    for name, raw in files("payloads").items():
        _, source, folder, *rest = name.split("/")
        if source == "cloudevents":
            found |= _cloudevents(name, raw)
        elif source == "anymail":
            found[name] = (folder, _mail(folder, raw))
        elif source == "github-octokit":
            headers = {"X-GitHub-Event": folder, "X-GitHub-Delivery": "d"}
            found[name] = ("github", request(JSON | headers, raw))
        elif source == "slack-bolt":
            found[name] = ("slack", _slack(folder, raw))
        else:
            found[name] = (folder, _git_host(folder, rest[0], raw))
    return found


def _mail(provider: str, raw: bytes) -> Request:
    headers = JSON | MAIL.get(provider, {})
    if provider == "mandrill":
        form = urlencode({"mandrill_events": raw.decode()}).encode()
        return request(headers | {"Content-Type": FORM}, form)
    return request(headers, raw)


def _slack(name: str, raw: bytes) -> Request:
    headers = {"X-Slack-Signature": "v0=x", "X-Slack-Request-Timestamp": "1"}
    if name.endswith(".form"):
        return request(headers | {"Content-Type": FORM}, raw.strip())
    if "event" not in json.loads(raw):
        raw, headers = (
            urlencode({"payload": raw.decode()}).encode(),
            headers | {"Content-Type": FORM},
        )
    return request(JSON | headers, raw)


def _git_host(provider: str, name: str, raw: bytes) -> Request:
    if provider == "gitlab":
        hook = "System Hook" if name.startswith("system") else "Note Hook"
        return request(JSON | {"X-Gitlab-Event": hook}, raw)
    headers = {"X-Gitea-Event": "issues", "X-Gogs-Event": "issues", "X-GitHub-Event": "issues"}
    return request(JSON | headers, raw)


def _cloudevents(name: str, raw: bytes) -> dict[str, tuple[str, Request]]:
    """The events in the specification's pages; its ellipses are no JSON, and left out."""
    found = {}
    for number, block in enumerate(re.findall(rb"(?ms)^[\[{].*?^[\]}]", raw)):
        try:
            value = json.loads(block)
        except ValueError:
            continue
        if isinstance(value, dict) and "specversion" not in value:
            continue
        media = "cloudevents-batch" if isinstance(value, list) else "cloudevents"
        typed = {"Content-Type": f"application/{media}+json"}
        found[f"{name}#{number}"] = ("cloudevents", request(typed, block))
    return found
