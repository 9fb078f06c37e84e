"""What an event type's bodies look like, as JSON Schema. The door to genson."""

from __future__ import annotations

import json
from typing import Any, Final

import pandas as pd

from webhooklab.defaults import MAX_PAYLOAD_COLUMNS
from webhooklab.redaction import printable
from webhooklab.schemas.fields import WHOLE, parent_of
from webhooklab.schemas.reading import Body, bodies_of
from webhooklab.store import Store

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_DTYPES: Final = {"types": "str", "present": "Int64", "of": "Int64", "share": "Float64"}


class Schema(dict[str, Any]):
    """What the bodies of `event_type` look like: JSON Schema, inferred from `count` bodies.

    `fields`: a frame, index `field` (`data.object.id`, `commits[].id`): `types`, `present` (in so
    many bodies), `of` (so many that have what it is in), `share` of these, `seq` of an example.
    `left_out`: bodies of too many fields, or nested too deep, that are not in it.
    """

    def __init__(
        self,
        json_schema: dict[str, Any],
        *,
        event_type: str,
        fields: pd.DataFrame,
        count: int,
        left_out: int,
    ) -> None:
        super().__init__(json_schema)
        self.event_type = event_type
        self.fields = fields
        self.count = count
        self.left_out = left_out

    @property
    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema as a plain dict."""
        return dict(self)

    def __repr__(self) -> str:
        more = f", {self.left_out:,} left out" if self.left_out else ""
        return printable(
            f"<Schema of {self.event_type}: {self.count:,} bodies, {len(self.fields):,} fields"
            f"{more}; .json_schema, .fields>"
        )

    def __str__(self) -> str:
        return json.dumps(self, indent=2)

    def _repr_html_(self) -> str:
        return str(self.fields._repr_html_())  # type: ignore[operator]


class _Counted:
    """How often each field is there."""

    def __init__(self) -> None:
        self.present: dict[str, int] = {}
        self.types: dict[str, set[str]] = {}
        self.example: dict[str, int] = {}

    def takes(self, body: Body) -> bool:
        """Count a body; False where there would be too many fields then."""
        fields = body.fields
        if fields is None or len(self.present.keys() | fields.keys()) > MAX_PAYLOAD_COLUMNS:
            return False
        for path, types in fields.items():
            self.present[path] = self.present.get(path, 0) + 1
            self.types.setdefault(path, set()).update(types)
            self.example.setdefault(path, body.seq)
        return True

    def frame(self) -> pd.DataFrame:
        """One row per field, parents first."""
        rows = [
            (path, " | ".join(sorted(self.types[path])), count, self.present[parent_of(path)])
            for path, count in self.present.items()
            if path != WHOLE
        ]
        index = pd.Index([row[0] for row in rows], dtype="str", name="field")
        made = pd.DataFrame([row[1:] for row in rows], index, columns=["types", "present", "of"])
        made["share"] = made["present"].astype("Float64") / made["of"].astype("Float64")
        made = made.astype(_DTYPES)
        made["seq"] = pd.array([self.example[row[0]] for row in rows], "Int64")
        return made


def infer(store: Store, event_type: str) -> Schema:
    """What all bodies of an event type look like, which are read one after the other."""
    from genson import SchemaBuilder  # noqa: PLC0415 - few Labs are asked for a schema

    builder, counted = SchemaBuilder(schema_uri=_DIALECT), _Counted()
    count = left_out = 0
    for body in bodies_of(store, event_type, f"reading {event_type}"):
        if counted.takes(body):
            builder.add_object(_plain(body.value))
            count += 1
        else:
            left_out += 1
    return Schema(
        builder.to_schema(),
        event_type=event_type,
        fields=counted.frame(),
        count=count,
        left_out=left_out,
    )


def _plain(value: Any) -> Any:
    """The value as genson knows it: integers longer than any are integers."""
    if isinstance(value, dict):
        return {key: _plain(cell) for key, cell in value.items()}
    if isinstance(value, list):
        return [_plain(cell) for cell in value]
    known = value is None or isinstance(value, str | bool | int | float)
    return value if known else 0
