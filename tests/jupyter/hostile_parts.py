"""For a notebook's cells: deliveries made of strings that would do harm if they were markup."""

import gzip
import json
from urllib.parse import quote

from webhooklab import clock
from webhooklab.headers import Headers
from webhooklab.records import Arrival, Event, Interpretation, Request

MARKUP = [
    *("<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "javascript:alert(1)"),
    *("<svg/onload=fetch('http://198.51.100.1/')>", "<a href='javascript:alert(1)'>x</a>"),
    *("<iframe srcdoc='<script>parent.alert(1)</script>'>", "</pre><b onmouseover=alert(1)>b"),
    *("'\"><input autofocus onfocus=alert(1)>", "<link rel=stylesheet href=//198.51.100.1>"),
]
PACKED = 40


def on_one_line(text):
    """As a header or a target may carry it: bytes, and no end of a line."""
    flat = text.encode("utf-8", "replace").decode("latin-1")
    return flat.replace("\n", " ").replace("\r", " ")


def arrival(text, *, target, headers, body):
    """A delivery all of whose columns are the text."""
    line = on_one_line(text)
    request = Request(
        received_at=clock.now_us(),
        method=line[:40] or "POST",
        target=target,
        headers=Headers(headers),
        body=body,
        remote=line,
    )
    safe = text.encode("utf-8", "replace").decode()
    event = Event(safe, safe, safe, safe, None, safe)
    return Arrival(request, Interpretation(safe, 1, event), 200)


def single(text):
    """One string in each place that a row of the table or the head of the details shows."""
    line = on_one_line(text)
    return arrival(
        text,
        target=f"/{line}?{line}={line}",
        headers=[(line, line), ("Content-Type", line)],
        body=text.encode("utf-8", "replace"),
    )


def packed(texts):
    """Many strings at once, in each kind of body that has a view of its own."""
    lines = [on_one_line(text) for text in texts]
    query = "&".join(f"{quote(text)}={quote(text)}" for text in texts)
    pairs = [pair for line in lines for pair in ((line, line), ("x-one", line))]
    for content_type, body in bodies(texts, lines):
        coding = [("Content-Encoding", "gzip")] if body.startswith(b"\x1f\x8b") else []
        headers = [("Content-Type", content_type), *coding, *pairs]
        yield arrival(texts[0], target=f"/?{query}", headers=headers, body=body)


def bodies(texts, lines):
    as_json = json.dumps({text: text for text in texts} | {"list": texts}).encode()
    parts = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{line}"; filename="{line}"\r\n'
        f"Content-Type: {line}\r\n\r\n{line}\r\n--B\r\n"
        f'Content-Disposition: form-data; name="{line}"\r\n\r\n{line}\r\n'
        for line in lines
    )
    yield "application/json", as_json
    yield "application/json", gzip.compress(as_json)
    yield "application/x-www-form-urlencoded", "&".join(f"{n}={n}" for n in lines).encode()
    yield "multipart/form-data; boundary=B", f"{parts}--B--\r\n".encode("latin-1")
    text = "\n".join(
        text for text in texts if text.isprintable()
    )  # the others would have it in hex
    yield "text/html; charset=utf-8", text.encode()


def fill_with(lab, texts):
    """The packed ones first, so that they stand at the end of the table; returns how many."""
    chunks = [texts[at : at + PACKED] for at in range(0, len(texts), PACKED)]
    several = [each for chunk in chunks for each in packed(chunk)]
    singles = [single(text) for text in texts]
    lab._parts.store.append(several + singles)
    return len(singles), len(several)
