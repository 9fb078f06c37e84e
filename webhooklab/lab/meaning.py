"""What deliveries mean, said by the user."""

from __future__ import annotations

from webhooklab import progress
from webhooklab.lab.face import Face
from webhooklab.mapping import Expression, Mapping


class Meaning(Face):
    """`map`."""

    def map(
        self,
        *,
        path: str = "/",
        event_type: Expression | None = None,
        event_id: Expression | None = None,
        entity_type: Expression | None = None,
        entity_id: Expression | None = None,
        occurred_at: Expression | None = None,
        version: Expression | None = None,
        state: Expression | None = None,
    ) -> None:
        """Say where columns come from, for deliveries to `path` and below.

        Each is JMESPath over the body (https://jmespath.org), or a function of the delivery;
        None leaves the column to the provider. Applies to what is captured and to what comes;
        replaces the earlier mapping of the same `path`. JMESPath is kept in the file, functions
        for as long as this Lab is open; a listener in a process of its own takes JMESPath only.
        Raises `MappingError`.
        """
        self._parts.check_open()
        mapping = Mapping(
            path=path,
            event_type=event_type,
            event_id=event_id,
            entity_type=entity_type,
            entity_id=entity_id,
            occurred_at=occurred_at,
            version=version,
            state=state,
        )
        self._parts.check_takes(mapping)
        self._parts.mappings.add(mapping)
        self._parts.listening.reload_mappings()
        self._parts.listening.settle()  # what is being committed has been interpreted as before
        with progress.bar(self._parts.store.count(), "deriving columns again") as advance:
            self._parts.store.derive_again(self._parts.mappings.interpreter().interpret, advance)
