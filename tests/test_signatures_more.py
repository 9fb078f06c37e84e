"""HubSpot's older signatures, the second one of Hookdeck's, and the form of Paddle Classic."""

import base64
from typing import ClassVar
from urllib.parse import urlencode

import pytest

from webhooklab import verify
from webhooklab.signatures.asymmetric import new_rsa, rsa_key
from webhooklab.verification import sign

CLIENT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
BODY = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
    b'"changeFlag":"NEW","appId":54321}]'
)
V1 = "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"
V2 = "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"
URL = "https://www.example.com/webhook_uri"
"""All of it as in developers.hubspot.com, "Validating requests"."""


def hubspot(signature: str, version: str | None, body: bytes, **more):
    headers = {"X-HubSpot-Signature": signature}
    if version is not None:
        headers["X-HubSpot-Signature-Version"] = version
    return verify("hubspot", headers=headers, body=body, secret=CLIENT_SECRET, **more)


class TestHubSpot:
    @pytest.mark.parametrize("version", ["v1", "V1", None])
    def test_the_published_value_of_version_1(self, version):
        assert hubspot(V1, version, BODY).status == "valid"
        changed = BODY.replace(b"CRM", b"CRN")
        assert hubspot(V1, version, changed).status == "invalid"

    def test_the_published_value_of_version_2(self):
        assert hubspot(V2, "v2", b"", url=URL, method="GET").status == "valid"
        assert hubspot(V2, "v2", b"", url=URL, method="POST").status == "invalid"
        assert hubspot(V2, "v2", b"", method="GET").reason == (
            "the signed URL is unknown: pass url="
        )

    def test_one_version_is_not_taken_for_another(self):
        assert hubspot(V1, "v2", BODY, url=URL).status == "invalid"
        assert hubspot(V2, "v1", b"", url=URL, method="GET").status == "invalid"
        assert hubspot(V1, "v9", BODY).status == "valid"  # a hash of the body is what it is

    def test_the_newest_decides_where_there_are_several(self):
        newest = sign("hubspot", body=BODY, secret="another", now=0, url=URL)
        headers = [*newest.headers, ("X-HubSpot-Signature", V1)]
        found = verify("hubspot", headers=headers, body=BODY, secret=CLIENT_SECRET, url=URL)
        assert found.status == "invalid"

    def test_the_reason_says_what_it_should_look_like(self):
        found = hubspot("zz", "v1", BODY)
        assert found.status == "invalid"
        assert found.reason.endswith("is malformed: it should have 64 characters of hex")


class TestHookdeck:
    def test_either_signature_will_do_while_a_secret_is_rotated(self):
        made = dict(sign("hookdeck", body=BODY, secret=["new", "old"], now=0).headers)
        assert list(made) == ["x-hookdeck-signature", "x-hookdeck-signature-2"]
        for secret in ("new", "old"):
            assert verify("hookdeck", headers=made, body=BODY, secret=secret).status == "valid"
        assert verify("hookdeck", headers=made, body=BODY, secret="none").status == "invalid"

    def test_with_one_secret_there_is_one_signature(self):
        made = dict(sign("hookdeck", body=BODY, secret="new", now=0).headers)
        assert list(made) == ["x-hookdeck-signature"]
        assert verify("hookdeck", headers=made, body=BODY, secret="new").status == "valid"


class TestPaddleClassic:
    """Its fields are signed as PHP's `serialize` writes them; lengths are of bytes."""

    FIELDS: ClassVar = {
        "email": "zo\u00eb@example.com",
        "alert_name": "payment_succeeded",
        "alert_id": "1",
    }
    AS_PHP = (
        'a:3:{s:8:"alert_id";s:1:"1";s:10:"alert_name";s:17:"payment_succeeded";'
        's:5:"email";s:16:"zo\u00eb@example.com";}'
    ).encode()
    PRIVATE, PUBLIC = new_rsa()

    def form(self, **changed):
        signature = rsa_key(self.PRIVATE, sha1=True).sign(self.AS_PHP)
        written = base64.b64encode(signature).decode()
        return urlencode(self.FIELDS | {"p_signature": written} | changed).encode()

    def check(self, body):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return verify("paddle-classic", headers=headers, body=body, secret=self.PUBLIC)

    def test_a_form_as_it_is_sent(self):
        assert self.check(self.form()).status == "valid"

    def test_a_changed_one(self):
        for changed in ({"alert_id": "2"}, {"more": ""}, {"p_signature": "AAAA"}):
            found = self.check(self.form(**changed))
            assert found.status == "invalid"
        assert self.check(self.form(alert_id="2")).reason == (
            "signed with another key, or the body was changed"
        )

    def test_none(self):
        assert self.check(b"alert_id=1").status == "unsigned"
        assert self.check(b"p_signature=x&p_signature=y").status == "unsigned"
        assert self.check(b"\xff" * 50).status == "unsigned"
