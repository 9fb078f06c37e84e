"""One end of a connection between two processes of one user: calls, answers and signals in JSON."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from webhooklab import errors
from webhooklab.background import BackgroundLoop, Errands
from webhooklab.defaults import CHANNEL_THREADS, MAX_CHANNEL_MESSAGE_BYTES
from webhooklab.errors import ListenerProcessError, WebhookLabError

logger = logging.getLogger(__name__)

Handle = Callable[["Peer", str, dict[str, Any]], Any]
"""Gets a call's name and arguments, on a thread; what it returns (JSON) is the answer."""
Ended = Callable[["Peer"], object]

_HERE: Final = "here"
"""The call that every end answers as long as it does not stand still."""
_SILENT: Final = (
    "The process that listens did not answer ({}). `webhooklab status` shows what runs."
)


class Peer:
    """The other end. `call` and `signal` from any thread but that of the loop."""

    def __init__(
        self, background: BackgroundLoop, write: Callable[[str], object], handle: Handle
    ) -> None:
        self._background = background
        self._write = write
        self._handle = handle
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Any]] = {}
        self._signals: dict[str, bool] = {}
        self._errands = Errands("webhooklab-channel", CHANNEL_THREADS)
        self._over = False

    def call(self, name: str, /, timeout: float, **arguments: Any) -> Any:
        """Have the other end do something; returns its answer.

        Raises its error if that is one of ours, and `ListenerProcessError` when it does not answer
        within `timeout` seconds, or has ended.
        """
        number = next(self._numbers)
        text = _dump({"call": name, "number": number, "arguments": arguments})
        answer = self._waiting[number] = Future()
        try:
            if self._over:
                raise ConnectionResetError
            self._background.post(self._write, text)
            return answer.result(timeout)
        except (TimeoutError, ConnectionError) as error:
            raise ListenerProcessError(_SILENT.format(name)) from error
        finally:
            self._waiting.pop(number, None)

    def signal(self, name: str) -> None:
        """Have the other end do something soon. Until it has, more of the same are one more.

        So nothing piles up for an end that stands still.
        """
        self._background.post(self._signal, name)

    # On the loop

    def _signal(self, name: str) -> None:
        if name in self._signals:
            self._signals[name] = True
            return
        self._signals[name] = False
        self._write(_dump({"call": name, "arguments": {}}))

    def take(self, text: str | bytes) -> None:
        """A message has come."""
        message = json.loads(text)
        if message.get("call") == _HERE:  # at once, however much the threads have to do
            self._write(_dump({"number": message["number"], "result": True}))
        elif "call" in message:
            self._errands.run(self._serve, message)
        elif "done" in message:
            if self._signals.pop(message["done"]):
                self._signal(message["done"])
        elif (answer := self._waiting.get(message["number"])) is not None:
            _settle(answer, message)

    def end(self) -> None:
        """The connection has ended."""
        self._over = True
        for answer in list(self._waiting.values()):
            if not answer.done():
                answer.set_exception(ConnectionResetError("the other process has ended"))

    # On a thread

    def _serve(self, message: dict[str, Any]) -> None:
        reply = self._reply(message["call"], message["arguments"])
        if "number" not in message:
            self._background.post(self._write, _dump({"done": message["call"]}))
            return
        try:
            text = _dump(reply | {"number": message["number"]})
        except (ListenerProcessError, TypeError) as error:  # too large, or no JSON
            text = _dump(_failure(error) | {"number": message["number"]})
        self._background.post(self._write, text)

    def _reply(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"result": self._handle(self, name, arguments)}
        except WebhookLabError as error:
            return _failure(error)
        except Exception as error:
            logger.exception("%s failed", name)
            return {"kind": "", "error": type(error).__name__}


def _dump(message: dict[str, Any]) -> str:
    text = json.dumps(message)
    if len(text) > MAX_CHANNEL_MESSAGE_BYTES:
        raise ListenerProcessError(
            f"{message.get('call', 'An answer')}: {len(text):,} bytes are too many for the process "
            f"that listens: pass less than {MAX_CHANNEL_MESSAGE_BYTES:,}."
        )
    return text


def _failure(error: Exception) -> dict[str, Any]:
    return {"kind": type(error).__name__, "error": str(error)}


def _settle(answer: Future[Any], message: dict[str, Any]) -> None:
    if "error" in message:
        answer.set_exception(error_of(message["kind"], message["error"]))
    else:
        answer.set_result(message["result"])


def error_of(kind: str, message: str) -> WebhookLabError:
    """The error of ours, by its name; what is none of ours is a `ListenerProcessError`."""
    found = getattr(errors, kind, None)
    if isinstance(found, type) and issubclass(found, WebhookLabError):
        try:
            return found(message)
        except TypeError:  # it has more to say than a message
            return WebhookLabError(message)
    return ListenerProcessError(f"The process that listens failed ({message}).")
