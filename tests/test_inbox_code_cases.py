"""The inbox's Code tab writes what `code.py` writes: both are held to `code_cases.json`.

`node --test tests/` runs the same cases against the browser's part.
"""

import base64
import json
from pathlib import Path

import pytest

from webhooklab import code
from webhooklab.redaction import mask_pairs, mask_query

CASES = json.loads(Path(__file__).with_name("code_cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["path"])
def test_it_writes_this_code(case):
    query = f"?{case['query_string']}" if case["query_string"] else ""
    url = case["base_url"].rstrip("/") + "/" + case["path"].removeprefix("/") + query
    headers = tuple((name, value) for name, value in case["headers"])
    body = base64.b64decode(case["body_base64"])
    request = code.Sendable(case["method"], url, headers, body)
    assert code.curl(request) == case["curl"]
    assert code.python(request) == case["python"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["path"])
def test_the_browser_is_given_it_masked(case):
    assert mask_query(case["query_string"]) == case["shown"]["query_string"]
    assert [list(pair) for pair in mask_pairs(case["headers"])] == case["shown"]["headers"]
