"""The errors that webhooklab raises. Each says what happened, whose move it is and what to do.

WebhookLabError
├── CaptureFileError        the file at `path`: yours to move, free or unlock
│   ├── ForeignFileError    it is something else than a capture file
│   ├── NewerFileError      a newer webhooklab wrote it
│   ├── ForkedError         it is open in the process of which this one is a fork
│   └── StoreError          it was fine, and reading or writing it failed just now
├── PortTakenError          another program listens there (also an OSError)
├── ClosedError             this lab, Shop or listener was closed
├── ListenerProcessError    the process that listens did not start, or does not answer
├── AttachedError           only the process that listens can do this
├── WaitTimeout             it did not come in time (also a TimeoutError)
├── FetchTimeout            fetches were not done in time (also a TimeoutError)
├── RetentionError          what to keep cannot be read (also a ValueError)
├── UnknownDeliveryError    no delivery has this `seq` (also a KeyError)
├── FilterError             the filter's text cannot be read (also a ValueError)
├── MappingError            an expression is not JMESPath (also a ValueError)
├── PullArgumentError       what to poll or fetch, or how often, makes no sense (also a ValueError)
├── SendArgumentError       what to send on, or where to, makes no sense (also a ValueError)
├── ConfirmationError       credentials would leave this machine: say confirm=True, or do not
├── SendTimeout             not all was sent on in time (also a TimeoutError)
├── RecoveryError           what polls saw of a missed change was deleted since: compare again
├── AnswerError             what lab.respond is to send, HTTP cannot (also a ValueError)
├── ExposureError           there is no public URL here, or not this way
├── RelayError              a relay of yours cannot run as it is told to
├── RelayProtocolError      what a relay or its reader sent makes no sense (also a ValueError)
├── ProviderError           no such provider, no sample of it, or none to add (also a ValueError)
├── CheckArgumentError      what to verify with makes no sense (also a ValueError)
│   └── SecretError         a secret that is empty, broken or of another kind
├── CompareArgumentError    a grace, an interval or a time that is none (also a ValueError)
├── BodyError               a body is not the JSON or form that was asked for (also a ValueError)
├── FileFormatError         an exported file: unknown suffix, damaged, or not ours
└── ExportError             the export could not be written; the old file is untouched
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame


def sentence(error: Exception) -> str:
    """What an error says, with a full stop where it has none: others write no more than words."""
    said = str(error)
    return said if said.endswith((".", "?")) else f"{said}."


class WebhookLabError(Exception):
    """The root: catch it to catch all that webhooklab raises on purpose."""


class CaptureFileError(WebhookLabError):
    """The capture file cannot be used as it is."""


class ForeignFileError(CaptureFileError):
    """The file at `path` is not a capture file; it was left untouched."""


class NewerFileError(CaptureFileError):
    """The capture file was written by a newer webhooklab; it was left untouched."""


class ForkedError(CaptureFileError):
    """The capture file was open when this process was forked: only the parent may use it."""


class StoreError(CaptureFileError):
    """A read or a commit failed (disk full, locked, I/O). Nothing was half-written."""


class PortTakenError(WebhookLabError, OSError):
    """Another program listens on the port that was asked for."""


class ClosedError(WebhookLabError):
    """What was called needs an open lab; this one is closed."""


class ListenerProcessError(WebhookLabError):
    """The process that listens for a Lab could not be started, or does not answer."""


class AttachedError(WebhookLabError):
    """This lab is attached to a file that another process listens for."""


class WaitTimeout(WebhookLabError, TimeoutError):
    """Fewer deliveries than asked for came in time.

    `events` is the frame of those that did come (the columns of `lab.events`).
    """

    def __init__(self, message: str, events: DataFrame) -> None:
        super().__init__(message)
        self.events = events


class FetchTimeout(WebhookLabError, TimeoutError):
    """Not everything was fetched in time; what was is in `lab.fetches`."""


class UnknownDeliveryError(WebhookLabError, KeyError):
    """No delivery has this `seq`: it was never given, or was deleted."""

    def __str__(self) -> str:
        """The message itself; `KeyError` would show its quoted repr."""
        return str(self.args[0])


class RetentionError(WebhookLabError, ValueError):
    """What `Lab(keep=...)` was given is neither a span, a number of deliveries nor a size."""


class FilterError(WebhookLabError, ValueError):
    """The text of a filter cannot be read."""


class MappingError(WebhookLabError, ValueError):
    """An expression given to `lab.map` cannot be compiled."""


class PullArgumentError(WebhookLabError, ValueError):
    """A URL, template or number given to `lab.poll` or `lab.fetch_related` cannot be used."""


class SendArgumentError(WebhookLabError, ValueError):
    """A URL, filter or number given to `lab.forward` or `lab.replay` cannot be used."""


class ConfirmationError(WebhookLabError):
    """Deliveries with credentials were to go to another machine, and nobody has confirmed it."""


class SendTimeout(WebhookLabError, TimeoutError):
    """Not everything was sent on in time; `lab.attempts` has what was tried."""


class RecoveryError(WebhookLabError):
    """A missed change cannot be recovered: what polls saw of it is no longer in the file."""


class AnswerError(WebhookLabError, ValueError):
    """What `lab.respond` was given, or its function returned, cannot be sent as an answer."""


class ExposureError(WebhookLabError):
    """The lab cannot be given a public URL in the way that was asked for."""


class RelayError(WebhookLabError):
    """A relay's file, or what it is told to do, cannot be used as it is."""


class RelayProtocolError(WebhookLabError, ValueError):
    """A relay, or a reader of one, sent what their protocol does not know."""


class ProviderError(WebhookLabError, ValueError):
    """No provider has this name, there is no such sample of it, or one cannot be registered."""


class CheckArgumentError(WebhookLabError, ValueError):
    """What deliveries are to be verified with cannot be used. The secret is not in the text."""


class SecretError(CheckArgumentError):
    """A secret that cannot be used. Its text says why, and never repeats the secret."""


class CompareArgumentError(WebhookLabError, ValueError):
    """A grace, an interval or a time given to a comparison cannot be used."""


class BodyError(WebhookLabError, ValueError):
    """A delivery's body was asked for as what it is not, or cannot be read; it was kept as is."""


class FileFormatError(WebhookLabError):
    """A file to read, or to export to, has an unknown suffix, is damaged or is not ours."""


class ExportError(WebhookLabError):
    """An export could not be written. What stood at the path before is untouched."""
