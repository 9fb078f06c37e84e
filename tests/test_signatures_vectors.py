"""Published signatures, with the verdict that each must get."""

import base64
import json

import pytest

from tests.inputs import CORPORA, needs_corpora
from webhooklab import verify

FILE = CORPORA / "vectors" / "vectors.jsonl"
VECTORS = [json.loads(line) for line in FILE.read_text().splitlines()] if FILE.is_file() else []


@needs_corpora
def test_there_are_vectors():
    assert len(VECTORS) >= 39
    assert {each["level"] for each in VECTORS} <= {"must", "should", "may"}


@needs_corpora
@pytest.mark.parametrize(
    "vector", [each for each in VECTORS if each["level"] == "must"], ids=lambda each: each["id"]
)
def test_it_gets_its_verdict(vector):
    is_aged = vector["freeze_unix"] is not None and vector["tolerance_s"] is not None
    found = verify(
        vector["provider"],
        headers=vector["headers"],
        body=base64.b64decode(vector["body_b64"] or ""),
        secret=vector["secret"],
        url=vector["url"],
        method=vector["method"],
        now=vector["freeze_unix"] if is_aged else None,
        tolerance=vector["tolerance_s"],
    )
    assert found.status == vector["expected"], found.reason
    assert found.reason
