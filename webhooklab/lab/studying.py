"""What deliveries are made of: held against each other, described, made into tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from webhooklab import fixture
from webhooklab.diffs import Diff, diff, side_of
from webhooklab.lab.deliveries import Deliveries
from webhooklab.records import Delivery
from webhooklab.schemas import Drift, Schema, drift, infer


class Studying(Deliveries):
    """`diff`, `schema`, `drift` and `fixture`."""

    def diff(self, left: Any, right: Any) -> Diff:
        """What differs between two deliveries, or between two answers.

        Each: a `seq`, a delivery (`lab[42]`), a row of `lab.events`, or one of `lab.attempts`
        (`lab.attempts.iloc[-1]`): the answer of its target. Its `patch` is a JSON Patch (RFC 6902),
        `headers` those that differ; in a notebook it shows both, side by side. Raises
        `UnknownDeliveryError`, `TypeError`.
        """
        return diff(side_of(self._chosen(left)), side_of(self._chosen(right)))

    def schema(self, event_type: str) -> Schema:
        """What the JSON bodies of an event type look like; reads them all, one after the other.

        A dict: JSON Schema, as validators take it. `.fields`: a frame of how often each field is
        present.
        """
        return infer(self._parts.store, event_type)

    def drift(self, event_type: str) -> Drift:
        """How the JSON bodies of an event type have changed, in the order of `seq`.

        One row per field that appeared, vanished or took another type: `field`, `change`
        ("appeared", "vanished", "type"), `since` (when the first such delivery was received), its
        `seq`, `before` and `after` (types, or "absent"), `deliveries_before` and
        `deliveries_since` (those that could have shown the field), `share` of the latter that
        do. A field that comes and goes anyway has drifted only where chance would do this in less
        than one case in a hundred. `.plot()` shows how often each was there, over time.
        """
        return drift(self._parts.store, event_type)

    def fixture(
        self, delivery: int | Delivery, folder: str | Path = "tests", *, overwrite: bool = False
    ) -> Path:
        """Make a delivery a pytest test that outlives the notebook; returns the test's path.

        Beside it stands the exact body. The test has method, URL and headers, and where its
        provider signs, `signed()`: the delivery with a signature of now, by a made-up secret.
        Credentials in headers and query are `***`, its old signature is left out; the body is as it
        came. Raises `ExportError` where one of the files is there already (`overwrite` replaces
        them) or cannot be written, `UnknownDeliveryError`.
        """
        return fixture.write(self._chosen(delivery), Path(folder), overwrite=overwrite)
