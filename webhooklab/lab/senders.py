"""Who sends: signatures checked, samples sent, retries watched."""

from __future__ import annotations

from functools import partial

from webhooklab import progress, providers, retrying, samples, trial
from webhooklab.checking import Check
from webhooklab.lab.frames import Frames
from webhooklab.records import Delivery
from webhooklab.retrying import Retries
from webhooklab.signatures import Secrets


class Senders(Frames):
    """`verify_with`, `send_sample` and `retries`."""

    def verify_with(
        self,
        provider: str,
        secret: Secrets,
        *,
        path: str = "/",
        url: str | None = None,
        reject: bool = False,
        earlier: bool = False,
    ) -> Check:
        """Check signatures on receipt: the columns `verified` and `verified_reason`.

        `provider`: one of `webhooklab.providers.names()`. `secret`: as the provider shows it, or
        several while one is rotated; kept in memory only, so read it from the environment and say
        it again after a restart (a listener in a process of its own has it until it ends). `path`:
        for deliveries to it and below. `url`: the public address that the provider calls, for those
        that sign it (Twilio, Square, HubSpot); None is the Lab's own. `reject`: answer 401 where
        the signature is missing or wrong; such deliveries are captured all the same. `earlier`:
        check what was captured before, too, each by the time of its receipt. From now on, what is
        not valid is not fetched for or sent on.

        Replaces an earlier check of the same provider and path. Raises `CheckArgumentError`, and
        `AttachedError` where another process listens.
        """
        checks = self._parts.checks
        check = checks.add(provider, secret, path=path, url=url, reject=reject)
        if earlier:
            self._parts.listening.settle()
            store = self._parts.store
            with progress.bar(store.count(), "checking signatures") as advance:
                store.verify_again(partial(checks.verify_captured, check), advance)
        return check

    def send_sample(
        self,
        provider: str = "standardwebhooks",
        event_type: str | None = None,
        *,
        path: str | None = None,
        secret: Secrets | None = None,
        tampered: bool = False,
        again: int = 0,
    ) -> Delivery:
        """Send this Lab a realistic delivery of a provider, signed; returns it as captured.

        Written by this project: nothing in it is real. `event_type` None: the provider's first
        (`webhooklab.samples.event_types()` lists all). `path` None: "/<provider>". `secret`: what
        to sign with; None: made up, and the provider is checked with it from now on, if it was not
        before. `tampered`: one byte of the body is changed after signing. `again`: the same event
        once more, so many times. Raises `ProviderError` where there is no such sample,
        `CheckArgumentError` for a secret that does not fit.
        """
        self._parts.check_owner("send samples")
        where = f"/{provider}" if path is None else "/" + path.lstrip("/")
        if secret is None:
            secret = self._sample_secret(provider, where)
        url = self._parts.url.rstrip("/") + where
        ready = trial.sample(provider, event_type, url=url, secret=secret)
        ready = trial.tampered(ready) if tampered else ready
        after = self.head
        for _ in range(again + 1):
            trial.send(ready)
        return self._parts.store.following(after, again + 1)[-1]

    def _sample_secret(self, provider: str, path: str) -> Secrets | None:
        """What signs the samples of a provider: what they are checked with."""
        made_up = samples.secrets_of(provider)
        if made_up is None:
            return None
        checks = self._parts.checks
        name = providers.find(provider).name
        check = checks.find(path, name)
        if check is not None and check.provider == name and not check.made_up:
            return check.secret
        checks.add(provider, made_up.verifying, path=path, made_up=True)
        return made_up.signing

    def retries(self, provider: str | None = None) -> Retries:
        """How senders try again: the deliveries of each event that was delivered more than once.

        One row per delivery: `provider`, `event_id`, `attempt` (0 is the first), `seq`,
        `received_at`, `waited` since the one before, `published` (what the provider says it waits;
        NaT: it does not say), `number` (what the delivery says of itself) and `answered` (what the
        sender had got before). In a notebook with a picture of both; `.plot()` gives its Axes.
        """
        return retrying.retries(self._parts.views.events(), provider)
