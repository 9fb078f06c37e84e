"""Templates of `fetch_related`: whatever a delivery says, the request goes where the user says."""

from hypothesis import strategies as st

from tests.fuzz.mutations import json_values
from tests.fuzz.registry import target
from webhooklab.pulling.answers import Failure
from webhooklab.pulling.origins import origin
from webhooklab.pulling.templates import Template

TEMPLATES = tuple(
    map(
        Template,
        (
            "https://api.test/orders/{id}",
            "https://api.test/v1/{type}/{id}.json?expand={id}",
            "https://user:pw@api.test:8443/a/.{id}/b",
            "https://api.test/?q={id}",
            "https://api.test/x{id}../{type}",
        ),
    )
)
TEXTS = (
    st.text(max_size=20)
    | st.text("./\\%2eEfF5cC0123@:?#&;\r\n\t \u2028\uff0f\u2024\ud800", max_size=16)
    | st.sampled_from(("..", "%2e%2e", "%252e%252e/", "//evil.test", "@evil.test", "evil.test:1"))
)
BODIES = st.fixed_dictionaries({"id": TEXTS | json_values(3), "type": TEXTS})


@target(st.tuples(st.sampled_from(TEMPLATES), BODIES), bounded=266)
def templates(drawn: tuple[Template, dict[str, object]]) -> None:
    template, body = drawn
    try:
        url = template.url_for(body)
    except Failure:
        return
    sample = template.url_for({"id": "x", "type": "x"})
    assert (origin(url), url.userinfo) == (origin(sample), sample.userinfo)
    assert url.fragment == ""
    found, expected = (
        part.partition("?") for part in (url.raw_path.decode(), sample.raw_path.decode())
    )
    assert found[0].count("/") == expected[0].count("/")
    assert not {".", ".."} & set(found[0].split("/"))
    assert (found[1], found[2].count("&")) == (expected[1], expected[2].count("&"))
