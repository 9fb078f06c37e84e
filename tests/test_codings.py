"""Packed answers: undone as they come, and never more of them at once than asked for."""

import gzip
import zlib
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooklab.codings import PIECE_BYTES, Coding, CodingError

PACKED = {
    None: bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    " GZIP ": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": lambda content: zlib.compress(content, wbits=-15),
}


def unpacked(coding, packed, step=1_000):
    parts = (packed[at : at + step] for at in range(0, len(packed), step))
    return b"".join(piece for part in parts for piece in coding.pieces(part))


@pytest.mark.parametrize("name", PACKED)
@given(content=st.binary(max_size=300), step=st.integers(1, 50))
def test_what_was_packed_comes_back_however_it_is_cut(name, content, step):
    assert unpacked(Coding(name), PACKED[name](content), step) == content


@pytest.mark.parametrize("name", PACKED)
def test_what_is_longer_than_a_piece_comes_back(name):
    content = bytes(range(256)) * 2_000 + bytes(3 * PIECE_BYTES)
    assert unpacked(Coding(name), PACKED[name](content)) == content


@pytest.mark.parametrize("name", ["br", "zstd", "gzip, gzip", "compress", "x" * 1_000, "utf-8"])
def test_what_was_not_asked_for_is_refused(name):
    with pytest.raises(CodingError, match="was not asked for") as caught:
        Coding(name)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("name", ["gzip", "deflate"])
@pytest.mark.parametrize("packed", [b"not packed", b"\x1f\x8b\x08\0broken here", b"\xff" * 99])
def test_what_is_not_packed_as_it_says_is_our_error(name, packed):
    with pytest.raises(CodingError, match="broken"):
        unpacked(Coding(name), packed)


def test_a_bomb_is_unpacked_no_further_than_somebody_wants_more_of_it():
    bomb = gzip.compress(bytes(2**26))
    pieces = list(islice(Coding("gzip").pieces(bomb), 3))
    assert [len(piece) for piece in pieces] == [PIECE_BYTES] * 3
