"""What providers send, damaged: whoever is taken for the sender, what it says can be stored."""

from tests.fuzz.mutations import damaged
from tests.fuzz.registry import target
from tests.provider_cases import check
from tests.provider_examples import EXAMPLES
from webhooklab import samples
from webhooklab.headers import Headers, Pair
from webhooklab.providers import interpret, recognise
from webhooklab.records import Request

NOW_US = 1_767_225_600_000_000
URL = "https://lab.example.com/hooks"


def block(pairs: tuple[Pair, ...], body: bytes) -> bytes:
    """Headers, a line each, an empty line, and the body."""
    lines = "".join(f"{name}: {value}\n" for name, value in pairs)
    return lines.encode("latin-1") + b"\n" + body


def parts(raw: bytes) -> tuple[list[Pair], bytes]:
    """What `block` put together; lines that are no header are left out."""
    head, _, body = raw.partition(b"\n\n")
    lines = [line.partition(": ") for line in head.decode("latin-1").split("\n")]
    return [(name, value) for name, colon, value in lines if colon], body


def _sample(name: str, event_type: str) -> bytes:
    pair = samples.secrets_of(name)
    built = samples.build(
        name,
        event_type,
        now_us=NOW_US,
        identity="1",
        secret=pair.signing if pair else None,
        url=URL,
    )
    return block(built.headers, built.body)


FORM = "application/x-www-form-urlencoded"
CALL = b"CallSid=CA1&CallStatus=completed&Timestamp=Tue,%2006%20Feb%202024%2020:13:15%20%2B0000"
WHOLES = [
    block((("X-Twilio-Signature", "x"), ("Content-Type", FORM)), CALL),
    *(_sample(name, kind) for name, kinds in samples.event_types().items() for kind in kinds),
    *(block(request.headers.pairs, request.body) for request, *_ in EXAMPLES.values()),
]


@target(damaged(WHOLES), bounded=300)
def interpretations(raw: bytes) -> None:
    pairs, body = parts(raw)
    request = Request(
        received_at=NOW_US, method="POST", target="/a?b=c", headers=Headers(pairs), body=body
    )
    check(interpret(request))
    sender = recognise(request)
    assert sender is None or sender.greets(request) in (True, False)
