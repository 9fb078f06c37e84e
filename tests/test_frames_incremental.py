"""Whatever happened in between, a frame that was kept is the frame that a fresh reader makes."""

import contextlib
import json
import tempfile
import warnings
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.test_frames import MUTATIONS
from webhooklab.headers import Headers
from webhooklab.mapping import Interpreter, Mapping
from webhooklab.records import Arrival, Request
from webhooklab.store import Store
from webhooklab.views import Views

keys = st.sampled_from(["id", "type", "a", "b", "a.b", ""])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["x", "", "\ud800", "2026-03-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
bodies = st.one_of(
    st.dictionaries(keys, values, max_size=4).map(lambda value: json.dumps(value).encode()),
    values.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=8),
)
batches = st.lists(st.dictionaries(keys, values, max_size=3), max_size=3).map(
    lambda events: json.dumps(events).encode()
)
BATCH = "application/cloudevents-batch+json"


def arrival(content_type, body, interpreter):
    headers = Headers([("Content-Type", content_type)])
    request = Request(received_at=10**15, method="POST", target="/", headers=headers, body=body)
    return Arrival(request, interpreter.interpret(request), 200)


def frames(views):
    yield views.events()
    yield views.unbatched()
    yield views.payloads()
    yield views.payloads("x")


class Kept(RuleBasedStateMachine):
    """Deliveries come and go, meanings change, frames are read and changed."""

    @initialize()
    def open(self):
        self.stack = contextlib.ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.store = Store(Path(folder, "captures.db"))
        self.stack.callback(self.store.close)
        self.views = Views(self.store)
        self.interpreter = Interpreter({"/": Mapping(event_type="type")})

    @rule(some=st.lists(bodies, min_size=1, max_size=4))
    def capture(self, some):
        new = [arrival("application/json", body, self.interpreter) for body in some]
        self.store.append(new)

    @rule(body=batches)
    def capture_a_batch(self, body):
        self.store.append([arrival(BATCH, body, self.interpreter)])

    @rule(seqs=st.sets(st.integers(1, 12), max_size=4))
    def delete(self, seqs):
        self.store.delete(sorted(seqs))

    @rule(count=st.integers(1, 5))
    def drop_the_oldest(self, count):
        self.store.drop_oldest(count)

    @rule(seq=st.integers(1, 12), status=st.integers(200, 599))
    def amend(self, seq, status):
        self.store.amend(seq, status)

    @rule(name=st.sampled_from(["event_type", "entity_id"]), key=st.sampled_from(["a", "type"]))
    def give_another_meaning(self, name, key):
        self.interpreter = Interpreter({"/": Mapping(**{name: key})})
        self.store.derive_again(self.interpreter.interpret)

    @rule(mutate=st.sampled_from(MUTATIONS), which=st.integers(0, 3), column=st.integers(0, 30))
    def change_a_frame(self, mutate, which, column):
        frame = list(frames(self.views))[which]
        if len(frame.columns):
            name = frame.columns[column % len(frame.columns)]
            with contextlib.suppress(TypeError, ValueError, IndexError), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pandas' own, about what is done here
                mutate(frame, name)

    @invariant()
    def kept_equals_fresh(self):
        for kept, fresh in zip(frames(self.views), frames(Views(self.store)), strict=True):
            pd.testing.assert_frame_equal(kept, fresh)
            pd.testing.assert_frame_equal(kept.map(type), fresh.map(type))

    def teardown(self):
        self.stack.close()


TestKept = Kept.TestCase
TestKept.settings = settings(
    max_examples=8,
    stateful_step_count=8,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
