"""A provider by hand: an API that shows what the test says, and a Lab that listens and polls it."""

import json
import threading
from typing import Any, Self

from tests.api_parts import Api, shown
from tests.raw_http import post
from webhooklab import Lab
from webhooklab.pulling import Poller

JSON = "application/json"


class World:
    """Entities `{"id", "version", "status", ...}`; a webhook's body is the entity's state.

    `every` poll is asked for by the test. Grace is 0 in `verdicts`, so that nothing has to wait.
    """

    def __init__(self, file: object, **poll: Any) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.happening = threading.Lock()
        self.api = Api(self._answer)
        self.lab = Lab(file)
        self.lab.map(entity_id="id", version="version")
        self.options = {"every": 3600, "version": "version", "name": "orders", **poll}
        self.poller: Poller | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.lab.close()
        self.api.__exit__()

    def _answer(self, _: Any) -> bytes:
        with self.happening:
            return shown(list(self.states.values()))

    def change(self, entity_id: str = "1", *, push: bool = True, **fields: Any) -> dict[str, Any]:
        """Something happens: its webhook comes, or not, and the API shows it from now on.

        No poll sees the state before the webhook was answered, or the old one after it.
        """
        with self.happening:
            before = self.states.get(entity_id, {"id": entity_id, "version": 0})
            state = {**before, "version": before["version"] + 1, **fields}
            if push:
                self.push(state)
            self.states[entity_id] = state
        return state

    def push(self, body: Any, *headers: str, path: str = "/", kind: str = JSON) -> None:
        """Send a webhook."""
        sent = json.dumps(body).encode()
        answer = post(self.lab.url.rstrip("/"), sent, path, (f"Content-Type: {kind}", *headers))
        assert answer.status == 200

    def poll(self) -> None:
        """Poll once more, or for the first time."""
        if self.poller is None:
            self.poller = self.lab.poll(self.api.url, **self.options)
        self.poller.poll_now()

    def missed(self) -> None:
        """The shortest life in which a webhook is known to be missed: of version 3 of entity 1."""
        self.change()
        self.poll()
        self.change()
        self.poll()
        self.change(push=False, status="unsaid")
        self.poll()

    def verdicts(self, **options: Any) -> dict[tuple[str, str | None], str]:
        """What a comparison says: verdict, with its reason if it has one."""
        return verdicts(self.lab.compare(**{"grace": 0, **options}).changes)


def verdicts(changes: Any) -> dict[tuple[str, str | None], str]:
    """By entity and version: the verdict, and its reason if it has one."""
    texts = changes[["entity_id", "version", "verdict", "reason"]].astype(object)
    plain = texts.where(changes[texts.columns].notna(), None)
    return {
        (entity, version): verdict if reason is None else f"{verdict}: {reason}"
        for entity, version, verdict, reason in plain.itertuples(index=False)
    }
