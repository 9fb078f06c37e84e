"""What leaves again: forwarded as it arrives, replayed later."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from webhooklab.defaults import SEND_CONCURRENCY, SEND_RETRIES, SEND_TIMEOUT_SECONDS
from webhooklab.lab.face import Face
from webhooklab.sending import Events, Forward, ReplayOptions
from webhooklab.sending.limits import ONLY_WHEN_ASKED, Retries
from webhooklab.sending.outgoing import Changes, Transform
from webhooklab.sending.replay import Edited
from webhooklab.sending.route import Where
from webhooklab.signatures import Secrets


class SendSide(Face):
    """`forward` and `replay`, with the frame of what came of it."""

    def forward(
        self,
        url: str,
        *,
        name: str | None = None,
        where: Where | None = None,
        transform: Transform | None = None,
        methods: Collection[str] = ("POST",),
        path: str = "/",
        keep_path: bool = False,
        reply: bool = False,
        unverified: bool = False,
        retry: Retries = SEND_RETRIES,
        in_order: bool = False,
        timeout: float = SEND_TIMEOUT_SECONDS,
        headers: Changes = None,
        auth: Any = None,
        concurrency: int = SEND_CONCURRENCY,
    ) -> Forward:
        """Send what arrives from now on to `url`; returns what has `.stop()` and `.stats`.

        Each delivery goes to exactly this URL, with its method, query, body and headers (but for
        those of one hop, and Host), and with `webhooklab-idempotency-key`, the same for every try.
        `methods`: only such are sent. `keep_path`: to their own paths below the URL. `path`: only
        deliveries to it and below. `where`: the inbox's filter language, or a function that says
        whether. `transform`: a function of the delivery that returns what to send: a body (bytes,
        str, dict or list), a delivery (`dataclasses.replace`), or None for nothing; called for
        each try. `headers`: to set, None takes one away; `auth`: as httpx takes it.

        Nothing that a web page of another origin sent is forwarded, nor what has not a valid
        signature where it is checked (`verify_with`), unless `unverified`; nor what was imported
        or recovered. What comes back from this file's own forward is not sent again.

        `retry`: how often to try again after no answer, 408, 425, 429 or 5xx (or a `Retry`), with
        growing waits; a target that asks to wait (Retry-After) is left alone for at most an hour,
        and 410 ends the forward. While the target takes no connection all waits for it, and counts
        for nothing. Redirects are not followed. `timeout`: of one try, in seconds. `concurrency`:
        so many at a time; `in_order`: what is about the same entity one after the other.

        The queue is the file: what was captured and not sent when this was stopped, or crashed,
        goes out when the forward of the same `name` (None: the URL) is set again. What was captured
        before it was first set does not. With listener="process" it runs in this kernel, and
        catches up.

        `reply`: the sender is held, and gets the target's answer (of its headers those that say
        what the body is); 504 after `timeout`, 502 where there is none. Such a delivery is tried
        once: its sender tries again.

        Replaces the earlier forward of the same `name`. Every try is a row of `attempts`. Raises
        `SendArgumentError`, `FilterError`, and `AttachedError` where another process listens.
        """
        self._parts.check_owner("forward")
        return self._parts.forward(
            url,
            name=name,
            where=where,
            transform=transform,
            methods=methods,
            path=path,
            keep_path=keep_path,
            reply=reply,
            unverified=unverified,
            retry=retry,
            in_order=in_order,
            timeout=timeout,
            headers=headers,
            auth=auth,
            concurrency=concurrency,
        )

    def replay(
        self,
        events: Events,
        to: str,
        *,
        speed: float | None = None,
        rate: float | None = None,
        resign: Secrets | None = None,
        headers: Changes = None,
        body: Edited = None,
        confirm: bool = False,
        keep_path: bool = False,
        retry: Retries = ONLY_WHEN_ASKED,
        timeout: float = SEND_TIMEOUT_SECONDS,
        auth: Any = None,
        concurrency: int | None = None,
    ) -> pd.DataFrame:
        """Send captured deliveries again, to exactly the URL `to`; returns the tries.

        `events`: rows of `lab.events`, `lab.find` or `webhooklab.read` (also of another file), a
        delivery (`lab[42]`), its `seq`, or several of them; bodies that are not in the rows come
        from this file. As fast as the target answers, one after the other; `rate`: so many a
        second; `speed`: with the recorded gaps (1.0), or so many times faster. With these two up
        to eight are under way at a time (`concurrency`).

        `resign`: the secret to sign with, as each delivery's provider does, so that timestamps are
        fresh. `headers`: to set, None takes one away. `body`: bytes, text, a dict or list (JSON),
        or a function of the delivery that returns it. `keep_path`: to their own paths below the
        URL. Each request has its method, query and headers (but for those of one hop) and
        `webhooklab-replay`, by which `compare` knows it.

        `retry`: by default only what the target asks to send again later (429 or 503, with
        Retry-After). `timeout`: of one try, in seconds. `auth`: as httpx takes it. Credentials
        leave this machine only with `confirm=True`. Ctrl-C ends it, and what was done is returned.

        Returns the frame of `attempts` for this replay, `seq` as in `events`. Raises
        `SendArgumentError`, `UnknownDeliveryError`, `ConfirmationError`, `ClosedError`.
        """
        self._parts.check_open()
        order = ReplayOptions(
            to=to,
            speed=speed,
            rate=rate,
            resign=resign,
            headers=headers,
            body=body,
            confirm=confirm,
            keep_path=keep_path,
            retry=retry,
            timeout=timeout,
            auth=auth,
            concurrency=concurrency,
        )
        return self._parts.sending.replay(events, order)

    @property
    def attempts(self) -> pd.DataFrame:
        """One row per try to send a delivery on, index `entry`.

        `target` has no secrets; `attempt` counts from 1; `status` NA: there was no answer, and
        `error` says why; `response_body` is bytes as they came, at most 64 KiB. `seq` is NA for
        what was replayed from another file.
        """
        self._parts.sending.settle()
        return self._parts.sending.attempts.frame()
