"""What is valid, damaged: cut, doubled, overwritten, with what breaks parsers put in."""

from collections.abc import Sequence

from hypothesis import strategies as st

SPICES = (
    *(b"", b"\0", b"\r\n", b"\n", b"\r", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b'"', b"'"),
    *(b"\\", b"[" * 50, b"{", b"}", b",", b"-", b"=", b"%", b"9" * 30, b"1e999", b"NaN", b"null"),
    *(b"\\ud800", b"\x80", b" ", b"\t", b":", b";", b"&", b"../", b"=1+1", b"true", b"{}", b"[]"),
)


@st.composite
def damaged(draw: st.DrawFn, wholes: Sequence[bytes], most: int = 4) -> bytes:
    """One of the wholes with up to so many changes; none is a change, too."""
    found = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(0, most))):
        start = draw(st.integers(0, len(found)))
        stop = start + draw(st.sampled_from((0, 0, 1, 2, 5, 40)))
        found[start:stop] = draw(st.sampled_from(SPICES) | st.binary(max_size=4))
    return bytes(found)


def json_values(most: int = 8) -> st.SearchStrategy[object]:
    """Whatever JSON can say, numbers that JSON cannot say included."""
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
        ),
        max_leaves=most,
    )
