"""What hands deliveries over: each in its envelope, each answer proved."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from webhooklab import envelope
from webhooklab.defaults import HANDOVER_SECONDS, MAX_HANDOVERS
from webhooklab.envelope import PROOF_HEADER, SEAL_HEADER, Meta, Proof
from webhooklab.exposure import Behind
from webhooklab.handover.connection import Connection, RawAnswer
from webhooklab.handover.pool import Pool
from webhooklab.headers import Pair


@dataclass(frozen=True, slots=True)
class Answered:
    """What a lab answered, all headers included.

    `committed` is the delivery's `seq` once it is in the capture file, whatever the lab's rules
    have answered; None: it is not kept, and is its sender's to send again.
    """

    status: int
    headers: tuple[Pair, ...]
    body: bytes
    committed: int | None = None


class Handover:
    """Hands deliveries over to listeners, `MAX_HANDOVERS` at a time. For one event loop.

    A request that may have been sent is not sent again, so nothing is captured twice: when its
    connection breaks, nobody knows what became of it, and its sender is told to try again, as it
    would be without us. Connections are given up long before a listener does, so they break only
    when a listener ends.
    """

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(MAX_HANDOVERS)
        self._pools: dict[str, tuple[str, Pool]] = {}

    async def hand(self, behind: Behind, meta: Meta, body: bytes) -> Answered | None:
        """The lab's answer; None when it is away: nobody there, too slow, or it is not the lab."""
        if len(body) > behind.max_body_bytes:
            return Answered(413, (), f"a body of more than {behind.max_body_bytes} bytes".encode())
        nonce = envelope.new_nonce()
        try:
            content = envelope.packed(meta) + body
            async with asyncio.timeout(HANDOVER_SECONDS), self._turns:
                pool = self._pool(behind)
                return await _through(pool, behind.key, nonce, content)
        except (OSError, ValueError):  # a timeout, too, is an `OSError`
            return None

    def close(self) -> None:
        """Close all connections. On the loop."""
        for _, pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _pool(self, behind: Behind) -> Pool:
        """The connections to this listener: another key is another listener."""
        key, pool = self._pools.get(behind.url, ("", None))
        if pool is None or key != behind.key:
            if pool is not None:
                pool.close()
            pool = Pool(behind.url)
            self._pools[behind.url] = behind.key, pool
        return pool


async def _through(pool: Pool, key: str, nonce: str, content: bytes) -> Answered | None:
    connection = await pool.take()
    head = (
        f"{pool.request_line}{SEAL_HEADER}: {envelope.seal(key, nonce)}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    proof = answer = None
    try:
        answer = await connection.ask(head.encode("latin-1"), content)
        proof = envelope.proven(key, nonce, answer.headers.get(PROOF_HEADER))
    finally:
        _part(pool, connection, answer, proof)
    if proof is None:
        return None
    return Answered(answer.status, answer.headers.pairs, answer.body, proof.committed)


def _part(
    pool: Pool, connection: Connection, answer: RawAnswer | None, proof: Proof | None
) -> None:
    """Only a listener that has shown that it is the right one is asked again."""
    if answer is None or answer.last or proof is None:
        connection.close()
    else:
        pool.give_back(connection)
