"""Bodies as what they say they are, and as columns."""

import json

from hypothesis import strategies as st

from tests.fuzz.mutations import damaged, json_values
from tests.fuzz.registry import target
from tests.test_payloads_at_once import check
from webhooklab import bodies
from webhooklab.payloads import PayloadColumns

TYPES = (
    *(None, "application/json", "text/plain; charset=utf-16", "application/json; charset=zlib"),
    *("application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "a/b+json"),
    *('multipart/form-data; boundary="b', "x; charset=\ud800", "application/json;charset=utf-7"),
)
WHOLES = (
    b'{"a":{"b":[1,2,{"c":null}],"d.e":1e400},"f":"\\ud83d\\ude00","n":123456789012345678901}',
    b"a=1&a=2&b=%zz&c",
    b'--b\r\nContent-Disposition: form-data; name="a"; filename="x"\r\n\r\nx\r\n--b--\r\n',
    b"[1,[2,[3]]]",
    '{"a":"é"}'.encode("utf-16"),
)
DRAWN = st.lists(st.tuples(st.sampled_from(TYPES), damaged(WHOLES)), min_size=1, max_size=4)


@target(DRAWN, bounded=200)
def bodies_damaged(drawn: list[tuple[str | None, bytes]]) -> None:
    """Each is read or a `ValueError`, and none takes the others' row or columns."""
    for content_type, body in drawn:
        for read in (bodies.parse_json, bodies.parse_form):
            try:
                read(body, content_type)
            except ValueError:
                continue
        assert bodies.kind(content_type, body) in ("json", "form", "multipart", "other")
    columns = PayloadColumns()
    columns.append(
        {
            "seq": [*range(len(drawn)), len(drawn)],
            "content_type": [*(each for each, _ in drawn), None],
            "body": [*(body for _, body in drawn), b'{"last one":7}'],
        }
    )
    frame = columns.frame()
    assert len(frame) == len(drawn) + 1
    assert frame["last one"].iloc[-1] == 7


OBJECTS = st.dictionaries(st.text(max_size=5), json_values(6), max_size=4)


@target(OBJECTS, bounded=166)
def payloads_there_and_back(value: dict[str, object]) -> None:
    """What the columns say can be put together to what was sent."""
    body = json.dumps(value).replace("NaN", "0").replace("-Infinity", "1").replace("Infinity", "1")
    wanted = json.loads(body)
    columns = PayloadColumns()
    columns.append({"seq": [1], "content_type": ["application/json"], "body": [body.encode()]})
    frame = columns.frame()
    found = {name: frame[name].iloc[0] for name in frame.columns}
    assert set(found) == {".".join(path) for path in paths(wanted)}


def paths(value: dict[str, object]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for key, below in value.items():
        name = "\\$" if key == "$" else key.replace("\\", "\\\\").replace(".", "\\.")
        if isinstance(below, dict) and below:
            found |= {(name, *path) for path in paths(below)}
        else:
            found.add((name,))
    return found


@target(st.lists(st.lists(OBJECTS, min_size=1, max_size=3), min_size=2, max_size=3), bounded=66)
def payloads_at_once(parts: list[list[dict[str, object]]]) -> None:
    """Read together or one by one, the frame is the same to the type."""
    check(*([json.dumps(each).encode() for each in part] for part in parts))
