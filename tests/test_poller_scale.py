"""What a poll of many entities costs: fingerprints in memory, and one row for one change."""

import sys

import pytest

from tests.api_parts import Api, always, pulling_in, shown, started
from webhooklab.pulling import Limits

COUNT = 10_000


@pytest.fixture
def pulling(tmp_path):
    with pulling_in(tmp_path, Limits()) as made:
        yield made


def test_one_change_among_ten_thousand_is_one_row(pulling):
    data = [{"id": f"ord_{number:06}", "n": 1, "text": "x" * 100} for number in range(COUNT)]
    with Api(always(shown(data))) as api:
        poller = started(pulling, api.url)
        assert rows(pulling) == (1, COUNT)
        data[5000]["n"] = 2
        api.answer = always(shown(data))
        assert poller.poll_now().changed == 1
        assert rows(pulling) == (2, COUNT + 1)
        assert held_bytes(poller._memory._fingerprints) < 2 * 2**20


def rows(pulling):
    with pulling._store.reading() as connection:
        return tuple(
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("polls", "snapshots")
        )


def held_bytes(known):
    return sys.getsizeof(known) + sum(
        sys.getsizeof(part) for pair in known.items() for part in pair
    )
