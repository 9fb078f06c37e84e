"""Messages in which the called URL is signed, where a template does not do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from webhooklab import bodies
from webhooklab.defaults import MAX_FORM_BYTES, MAX_FORM_FIELDS
from webhooklab.headers import Headers
from webhooklab.signatures.material import Material, on_the_wire
from webhooklab.signatures.problem import Problem
from webhooklab.signatures.verification import invalid

FORM = "application/x-www-form-urlencoded"
_escapes_of_hubspot = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def hubspot(material: Material) -> Sequence[bytes]:
    """Method, URL with these escapes decoded, body, timestamp.

    https://developers.hubspot.com/docs/api/webhooks/validating-requests (version 3).
    """
    time = material.headers.get("x-hubspot-request-timestamp")
    if time is None:
        raise Problem(invalid("the header x-hubspot-request-timestamp is missing, and is signed"))
    url = _escapes_of_hubspot.sub(lambda found: chr(int(found[1], 16)), material.known_url())
    head = (material.method + url).encode("utf-8", "surrogatepass")
    return [head + material.body + on_the_wire(time)]


def hubspot_version(headers: Headers) -> str:
    """Which of the two older ways a request of HubSpot's is signed in: "v1", "v2", ..."""
    return (headers.get("x-hubspot-signature-version") or "v1").strip().lower()


def twilio(material: Material) -> Sequence[bytes]:
    """The URL, with and without its port, then each sorted field of a form and its values.

    A body that is no form is signed by its SHA-256 in the URL's query.
    https://www.twilio.com/docs/usage/webhooks/webhooks-security.
    """
    url = material.known_url()
    digest = dict(parse_qsl(_query(url))).get("bodySHA256")
    is_form = bodies.media_type(material.headers.get("content-type")) == FORM
    if digest is None or is_form:
        fields = _form_as_signed(material)
    elif digest == hashlib.sha256(material.body).hexdigest():
        fields = ""
    else:
        raise Problem(invalid("the body was changed: bodySHA256 in the URL is of another one"))
    return [(each + fields).encode("utf-8", "surrogatepass") for each in with_and_without_port(url)]


def mandrill(material: Material) -> Sequence[bytes]:
    """The URL as it was entered, then each sorted field of the form and its value."""
    signed = material.known_url() + _form_as_signed(material)
    return [signed.encode("utf-8", "surrogatepass")]


def uses_shared_key(headers: Headers) -> bool:
    """Whether Twilio says that it signed with a SharedKey, and so by SHA-256."""
    settings = headers.get("x-twilio-webhooks-signature-settings", "")
    return "algorithm=HMAC_SHA256" in (settings or "").replace(" ", "").split(",")


def with_body_hash(url: str, body: bytes, content_type: str | None) -> str:
    """The URL as Twilio calls it: for a body that is no form, with its SHA-256 in the query."""
    if not body or bodies.media_type(content_type) == FORM or "bodySHA256=" in _query(url):
        return url
    return f"{url}{'&' if _query(url) else '?'}bodySHA256={hashlib.sha256(body).hexdigest()}"


def _query(url: str) -> str:
    return url.partition("#")[0].partition("?")[2]


def _form_as_signed(material: Material) -> str:
    content_type = material.headers.get("content-type")
    if len(material.body) > MAX_FORM_BYTES:
        raise Problem(invalid(f"a form of more than {MAX_FORM_BYTES} bytes is not read"))
    charset = bodies.charset(content_type) or "utf-8"
    try:
        fields = parse_qsl(
            material.body.decode(charset, "replace"),
            keep_blank_values=True,
            encoding=charset,
            max_num_fields=MAX_FORM_FIELDS,
        )
    except ValueError:
        raise Problem(invalid("the body is not a form that can be read")) from None
    return "".join(name + value for name, value in sorted(set(fields)))


def with_and_without_port(url: str) -> list[str]:
    """Twilio signs either form, and does not say which."""
    try:
        parts = urlsplit(url)
        host, port = parts.netloc, parts.port
    except ValueError:  # not a URL; no signature will be over it
        return [url]
    if port is not None:
        bare = host.rpartition(":")[0]
        return [url, url.replace(host, bare, 1)]
    standard = 443 if parts.scheme == "https" else 80
    return [url, url.replace(host, f"{host}:{standard}", 1)] if host else [url]
