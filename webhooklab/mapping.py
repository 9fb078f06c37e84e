"""What the user says about deliveries that no provider explains. The door to JMESPath."""

from __future__ import annotations

import contextlib
import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from numbers import Number
from typing import Any, Protocol, TypeAlias

import jmespath
from jmespath.exceptions import JMESPathError

from webhooklab import paths
from webhooklab.errors import MappingError
from webhooklab.instants import parse_instant
from webhooklab.providers import interpret
from webhooklab.records import Event, Interpretation, Request

Expression: TypeAlias = str | Callable[[Any], Any]
"""JMESPath over the body (JSON or form), or a function of the delivery (a `records.Message`)."""


class MappingStore(Protocol):
    """Where mappings are kept: definitions as JSON, one per path."""

    def save_mapping(self, path: str, definition: str) -> None:
        """Keep a definition in place of an earlier one of the same path."""

    def mappings(self) -> list[str]:
        """All definitions."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where the columns of deliveries to `path` and below come from; None: left as they are.

    `state` says which part of the body is the entity's state; it feeds the comparison.
    """

    path: str = "/"
    event_type: Expression | None = None
    event_id: Expression | None = None
    entity_type: Expression | None = None
    entity_id: Expression | None = None
    occurred_at: Expression | None = None
    version: Expression | None = None
    state: Expression | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", paths.normal(self.path))

    def covers(self, path: str) -> bool:
        """Whether deliveries to `path` are meant."""
        return paths.covers(self.path, path)

    def check(self) -> None:
        """Raise `MappingError` for an expression that is neither JMESPath nor a function."""
        for name, expression in self.expressions().items():
            reader(name, expression)

    def expressions(self) -> dict[str, Expression]:
        """The expressions that were given, by column."""
        named = {item.name: getattr(self, item.name) for item in fields(self)[1:]}
        return {name: expression for name, expression in named.items() if expression is not None}

    def apply(self, request: Request, event: Event) -> Event:
        """The event with the mapped columns replaced. Never raises: what fails says nothing."""
        return replace(event, **{name: self.value(name, request) for name in self._columns()})

    def value(self, name: str, request: Request) -> Any:
        """What a column is, or the `state`, as JSON has it; None where the expression fails."""
        found = _evaluate(name, self.expressions()[name], request)
        return found if name == "state" else _convert(name, found)

    def _columns(self) -> list[str]:
        return [name for name in self.expressions() if name != "state"]


class Interpreter:
    """The providers, and above them the user's mappings: the longest matching path counts."""

    def __init__(self, mappings: dict[str, Mapping] | None = None) -> None:
        by_length = sorted((mappings or {}).items(), key=lambda item: len(item[0]), reverse=True)
        self._mappings = [mapping for _, mapping in by_length]

    def interpret(self, request: Request) -> Interpretation:
        """What is concluded from a request. Never raises on anything from the wire."""
        interpretation = self._mapped(interpret(request), request)
        if not _is_known_by_its_content(interpretation):
            return interpretation
        return replace(interpretation, digest=hashlib.sha256(request.body).hexdigest())

    def _mapped(self, interpretation: Interpretation, request: Request) -> Interpretation:
        mapping = self.mapping_for(request.path)
        if mapping is None or interpretation.event_count != 1:
            return interpretation
        event = mapping.apply(request, interpretation.event or Event())
        items = tuple(replace(event, body=item.body) for item in interpretation.items)
        return replace(interpretation, event=event, items=items)

    def mapping_for(self, path: str) -> Mapping | None:
        """The user's mapping for deliveries to `path`."""
        return next((mapping for mapping in self._mappings if mapping.covers(path)), None)

    @property
    def names_states(self) -> bool:
        """Whether any mapping says where the state is."""
        return any(mapping.state is not None for mapping in self._mappings)


def _is_known_by_its_content(interpretation: Interpretation) -> bool:
    """Whether equal bytes mean the same event: it has no id, and is not like any other."""
    event = interpretation.event
    if event is None or event.event_id is not None or interpretation.event_count != 1:
        return False
    return event.occurred_at is not None or event.version is not None


class Mappings:
    """The mappings of one capture file: JMESPath kept in it, functions kept here."""

    def __init__(self, store: MappingStore) -> None:
        self._store = store
        self._with_functions: dict[str, Mapping] = {}

    def add(self, mapping: Mapping) -> None:
        """Add a mapping in place of an earlier one of the same path. Raises `MappingError`."""
        mapping.check()
        expressions = mapping.expressions()
        stored = {name: text for name, text in expressions.items() if isinstance(text, str)}
        self._store.save_mapping(mapping.path, json.dumps({"path": mapping.path, **stored}))
        self._with_functions.pop(mapping.path, None)
        if len(stored) < len(expressions):
            self._with_functions[mapping.path] = mapping

    def interpreter(self) -> Interpreter:
        """The providers and these mappings, as they are now."""
        stored = (Mapping(**json.loads(text)) for text in self._store.mappings())
        return Interpreter({each.path: each for each in stored} | self._with_functions)


def reader(name: str, expression: Expression) -> Callable[[Any], Any]:
    """A function that finds something in JSON data: a function as it is, or JMESPath.

    JMESPath that meets a value of another type finds None; a function may raise. `name` is the
    argument's, for the message. Raises `MappingError`.
    """
    if callable(expression):
        return expression
    compiled = _compile(name, expression)

    def search(data: Any) -> Any:
        try:
            return compiled.search(data)
        except JMESPathError:
            return None

    return search


def text_of(value: object) -> str | None:
    """A scalar as the text of a column, as JSON writes it; None for null, lists and all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    is_number = isinstance(value, Number) and value == value  # noqa: PLR0124 - NaN is not itself
    return str(value) if is_number else None


def _compile(name: str, expression: object) -> Any:
    if not isinstance(expression, str):
        raise MappingError(
            f"{name}={expression!r} is neither text nor a function: pass JMESPath, such as "
            '"data.id", or a function of the delivery.'
        )
    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        raise MappingError(
            f"{name}={expression!r} is not JMESPath: {error}. Correct the expression "
            "(https://jmespath.org), or pass a function of the delivery."
        ) from error


def _evaluate(name: str, expression: Expression, request: Request) -> object:
    try:
        if callable(expression):
            return expression(request)
        return _compile(name, expression).search(request.data)
    except JMESPathError:  # a function of JMESPath met a value of another type
        return None
    except Exception as error:
        message = f"what lab.map was given for {name} raised {error!r}; the column stays empty"
        with contextlib.suppress(RuntimeWarning):  # where warnings are errors: capture goes on
            warnings.warn(message, RuntimeWarning, stacklevel=2)
        return None


def _convert(name: str, value: object) -> str | int | None:
    return parse_instant(value) if name == "occurred_at" else text_of(value)
