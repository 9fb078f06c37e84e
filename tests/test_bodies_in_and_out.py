"""Whatever arrives, the same bytes are in the file, in the frame, and in what was exported."""

import json

import pandas as pd
import pytest

from tests.inputs import ODD, files, formulas, naughty_strings, needs_corpora, send
from webhooklab import Lab, read

SUFFIXES = (".csv", ".jsonl", ".parquet")


def check_everywhere(lab: Lab, sent: list[bytes], folder) -> None:
    assert [delivery.body for delivery in lab] == sent
    events = lab.events
    assert events["body"].tolist() == sent
    assert events["body_bytes"].tolist() == [len(body) for body in sent]
    assert len(lab.payloads) == len(sent)
    for suffix in SUFFIXES:
        path = lab.export(folder / f"out{suffix}", secrets=True)
        pd.testing.assert_frame_equal(read(path), events)
    pd.testing.assert_frame_equal(read(lab.path), events)


@needs_corpora
@pytest.mark.parametrize("content_type", [None, "application/json"])
def test_all_real_and_hostile_bodies_stay_byte_for_byte(lab, tmp_path, content_type):
    sent = list((files("payloads") | files("hostile/json")).values())
    assert len(sent) > 200
    send(lab.url, [(content_type, body) for body in sent])
    check_everywhere(lab, sent, tmp_path)


@needs_corpora
def test_naughty_strings_and_formulas_as_bodies_paths_and_types(lab, tmp_path):
    texts = [*naughty_strings(), *formulas()]
    sent = [text.encode("utf-8", "surrogatepass") for text in texts]
    send(lab.url, [("text/plain", body) for body in sent])
    check_everywhere(lab, sent, tmp_path)


@needs_corpora
def test_naughty_strings_in_derived_columns(lab, tmp_path):
    texts = [*naughty_strings(), *formulas(), "", "a\0b", "a\rb", "a\r\nb", "\ufeffx", "'", "''"]
    lab.map(event_type="type", entity_id="id", version="v")
    bodies = [json.dumps({"type": text, "id": text, "v": text}).encode() for text in texts]
    send(lab.url, [("application/json", body) for body in bodies])
    assert lab.events["entity_id"].tolist() == texts
    check_everywhere(lab, bodies, tmp_path)


def test_odd_bodies(lab, tmp_path):
    send(lab.url, ODD.values())
    check_everywhere(lab, [body for _, body in ODD.values()], tmp_path)
    assert [delivery.content_type for delivery in lab] == [kind for kind, _ in ODD.values()]
    for delivery in lab:
        assert isinstance(delivery.text, str)


def test_a_body_as_large_as_is_allowed(lab, tmp_path):
    large = json.dumps({"text": 'x\n"' * 5_100_000}).encode()
    assert 24 * 2**20 < len(large) <= 25 * 2**20
    send(lab.url, [("application/json", b"{}"), ("application/json", large)])
    for suffix in SUFFIXES:
        path = lab.export(tmp_path / f"large{suffix}")
        assert read(path)["body"].tolist() == [b"{}", large]
