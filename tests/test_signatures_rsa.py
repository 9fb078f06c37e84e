"""Those who sign by RSA: Amazon SNS, as its documentation says; Postal, as its source does."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from webhooklab import verify

KEY = rsa.generate_private_key(65_537, 2_048)
ADDRESS = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-7ff5318490ec.pem"
HASHES = {"1": hashes.SHA1(), "2": hashes.SHA256()}


def certificate() -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, KEY.public_key(), 1, now, now + timedelta(days=1))
    pem = made.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return pem.decode()


CERTIFICATE = certificate()


def public_key(encoding: serialization.Encoding) -> bytes:
    return KEY.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def signature(text: bytes, version: str) -> str:
    return base64.b64encode(KEY.sign(text, padding.PKCS1v15(), HASHES[version])).decode()


def notification(version: str, **more: object) -> dict[str, object]:
    said = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": "arn:aws:sns:eu-west-1:1:mail",
        "Message": '{"eventType":"Open",\n"mail":{"messageId":"é"}}',
        "Timestamp": "2026-01-01T00:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": ADDRESS,
        **more,
    }
    order = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token")
    names = [name for name in (*order, "TopicArn", "Type") if said.get(name) is not None]
    text = "".join(f"{name}\n{said[name]}\n" for name in names)
    return {**said, "Signature": signature(text.encode(), version)}


def of_sns(said: dict[str, object], secret: object = CERTIFICATE):
    body = json.dumps(said).encode()
    headers = {"Content-Type": "text/plain; charset=UTF-8"}
    return verify("amazon_ses", headers=headers, body=body, secret=secret)


CONFIRMATION = {
    "Type": "SubscriptionConfirmation",
    "Token": "t",
    "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
}


@pytest.mark.parametrize("version", HASHES)
@pytest.mark.parametrize("more", [{}, {"Subject": "s"}, {"Subject": None}, CONFIRMATION])
def test_sns_signs_names_and_values(version, more):
    said = notification(version, **more)
    assert of_sns(said).status == "valid"
    assert of_sns(said, secret=[public_key(serialization.Encoding.PEM)]).status == "valid"
    for name in {"Message", "MessageId", "Timestamp", "TopicArn", *more}:
        changed = of_sns({**said, name: f"{said[name]}."})
        assert changed.status == "invalid", name
    assert of_sns({**said, "Type": "UnsubscribeConfirmation"}).status == "invalid"


@pytest.mark.parametrize("version", HASHES)
@pytest.mark.parametrize(
    "address",
    [
        ADDRESS.replace("https", "http"),
        ADDRESS.replace(".com", ".com.evil.example"),
        ADDRESS.replace("sns.eu-west-1", "evil.example/sns.eu-west-1"),
        ADDRESS.replace("sns.eu-west-1.", "sns.evil.eu-west-1."),
        ADDRESS.replace("Simple", "../Simple"),
        ADDRESS + "\n",
        None,
    ],
)
def test_sns_has_its_certificate_at_an_address_of_amazons(version, address):
    found = of_sns(notification(version, SigningCertURL=address))
    assert found.status == "invalid"
    assert "SigningCertURL" in found.reason


def test_sns_says_what_to_do_where_another_certificate_signed():
    found = of_sns({**notification("2"), "Message": "another"})
    assert "compare the delivery's SigningCertURL with where yours is from" in found.reason
    assert of_sns({"eventType": "Open", "mail": {"messageId": "1"}}).status == "unsigned"
    assert of_sns(notification("1"), secret="no certificate").status == "unverifiable"


SPKI = base64.b64encode(public_key(serialization.Encoding.DER)).decode()
DKIM = f"v=DKIM1; t=s; h=sha256; p={SPKI};"


@pytest.mark.parametrize("secret", [DKIM, SPKI, public_key(serialization.Encoding.PEM)])
@pytest.mark.parametrize("header", ["X-Postal-Signature", "X-Postal-Signature-256"])
def test_postal_signs_the_body_with_the_key_of_its_servers_dkim_record(secret, header):
    body = b'{"event":"MessageSent","payload":{"message":{"id":15}}}'
    version = "2" if header.endswith("256") else "1"
    headers = {header: signature(body, version), "Content-Type": "application/json"}
    assert verify("postal", headers=headers, body=body, secret=secret).status == "valid"
    changed = verify("postal", headers=headers, body=body + b" ", secret=secret)
    assert changed.status == "invalid"
    other = {header: signature(body, "1" if version == "2" else "2")}
    assert verify("postal", headers=other, body=body, secret=secret).status == "invalid"
    assert verify("postal", headers={}, body=body, secret=secret).status == "unsigned"
