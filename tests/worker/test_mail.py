"""Notices by e-mail, handed to a real mail server."""

from __future__ import annotations

import dataclasses
import socket
import ssl
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.sending import Failed, NotReady
from bot.store import reading
from bot.store.outbox import Notification, Outbox
from bot.worker.mail import Mail, read_mail_server
from tests.worker.conftest import CONSOLE, NOON, SENDER, danger, deliverer, free_port, put, told

NOTICE = Notification(
    id="0123456789abcdef",
    kind="new",
    clinic="greater_boston",
    subject="K7M-4QX",
    channel="email",
    target="intake@clinic.example",
    payload={"clinic_name": "Greater Boston", "code": "K7M-4QX", "urgency": "urgent"},
    created=NOON,
    attempts=1,
    due=None,
    last_error=None,
    delivered=None,
    dead=None,
)


def send(url: str, trusted: ssl.SSLContext | None = None) -> None:
    with Mail(url, CONSOLE, trusted=trusted, patience=5).session(NOTICE) as post:
        post(NOTICE)


def test_an_urgent_request_is_one_e_mail_that_says_so(mail_house):
    send(mail_house.url)
    [message] = mail_house.messages
    assert message["Subject"] == "[Greater Boston] New urgent request K7M-4QX"
    assert message["To"] == "intake@clinic.example"
    assert message["From"] == SENDER
    assert message["Message-ID"] == "<0123456789abcdef@clinic.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == [
        "New urgent request K7M-4QX.",
        "",
        "Open the console:",
        CONSOLE,
        "",
        "This message says nothing about the person on purpose. Do not answer it.",
    ]


def test_a_repeated_e_mail_is_the_same_to_the_byte(mail_house):
    send(mail_house.url)
    send(mail_house.url)
    assert mail_house.came[0] == mail_house.came[1]


@pytest.mark.parametrize(
    ("answer", "refused"), [("550 no such user", True), ("451 try again later", False)]
)
def test_a_refusal_is_told_without_the_servers_words(mail_house, answer, refused):
    mail_house.says = answer
    with pytest.raises(Failed) as raised:
        send(mail_house.url)
    assert raised.value.refused == refused
    assert str(raised.value) == f"the mail server refused the e-mail (SMTP {answer[:3]})"


def test_a_server_that_is_not_there_is_down():
    with pytest.raises(Failed, match="cannot be used") as raised:
        send(f"smtp://127.0.0.1:{free_port()}?from={SENDER}")
    assert raised.value.down


def test_a_server_that_says_nothing_is_given_up_after_its_patience():
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"smtp://127.0.0.1:{mute.getsockname()[1]}?from={SENDER}"
        with pytest.raises(Failed) as raised:
            with Mail(url, CONSOLE, patience=0.1).session(NOTICE):
                pass
    assert raised.value.down


# --- encryption and login ---------------------------------------------------------------


class Taken:
    """A handler that takes every e-mail."""

    def __init__(self) -> None:
        self.count = 0

    async def handle_DATA(self, server, session, envelope) -> str:
        self.count += 1
        return "250 taken"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for "localhost": the server's context, and one that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOON - timedelta(days=3650))
        .not_valid_after(NOON + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


def logs_in(server, session, envelope, mechanism, data) -> AuthResult:
    right = data == LoginPassword(b"desk", b"p@ss/word")
    return AuthResult(success=right, handled=False)


@pytest.fixture
def encrypted(certificate, request):
    """A server that wants encryption and a login; parameter: "smtps" or "smtp+starttls"."""
    taken = Taken()
    options: dict = {"auth_required": True, "authenticator": logs_in}
    if request.param == "smtps":
        options |= {"ssl_context": certificate[0], "auth_require_tls": False}
    else:
        options |= {"tls_context": certificate[0], "require_starttls": True}
    port = free_port()
    controller = Controller(taken, hostname="127.0.0.1", port=port, **options)
    controller.start()
    yield taken, f"{request.param}://desk:%s@localhost:{port}?from={SENDER}"
    controller.stop()


@pytest.mark.parametrize("encrypted", ["smtps", "smtp+starttls"], indirect=True)
def test_an_encrypted_session_with_login_is_used(encrypted, certificate):
    taken, url = encrypted
    send(url % "p%40ss%2Fword", certificate[1])
    assert taken.count == 1


@pytest.mark.parametrize("encrypted", ["smtp+starttls"], indirect=True)
def test_a_wrong_password_is_told_without_it(encrypted, certificate):
    _, url = encrypted
    with pytest.raises(Failed) as raised:
        send(url % "hunter2", certificate[1])
    assert "SMTP 535" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("encrypted", ["smtps", "smtp+starttls"], indirect=True)
def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(encrypted):
    taken, url = encrypted
    with pytest.raises(Failed, match="SSLCertVerificationError"):
        send(url % "p%40ss%2Fword")
    assert taken.count == 0


def test_a_server_without_encryption_gets_no_password_over_starttls(mail_house):
    url = mail_house.url.replace("smtp://", "smtp+starttls://desk:secret@")
    with pytest.raises(Failed) as raised:
        send(url)
    assert raised.value.down
    assert mail_house.came == []


# --- the setting ---------------------------------------------------------------------------


def test_the_url_says_all_of_the_server():
    server = read_mail_server("smtps://a%40b:p%3Aq@mail.example.org?from=c@d.example")
    assert dataclasses.astuple(server) == (
        *("smtps", "mail.example.org", 465, "a@b", "p:q", "c@d.example"),
    )
    assert "p:q" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "mail.example.org",
        "http://mail.example.org?from=a@b.org",
        "smtp://mail.example.org",
        "smtp://mail.example.org?from=nobody",
        "smtp://mail.example.org:port?from=a@b.org",
        "smtp://?from=a@b.org",
        "smtp://mail.example.org?from=a@b.org%0ABcc:x@y.org",
    ],
)
def test_a_url_that_cannot_be_used_is_named_without_its_content(url):
    with pytest.raises(NotReady, match="HANDRAIL_SMTP") as raised:
        read_mail_server(url)
    assert "mail.example.org" not in str(raised.value)


# --- from the outbox ------------------------------------------------------------------------


def test_every_address_gets_its_own_e_mail(engine, clock, mail_house, shipped):
    clinic = told(shipped, coordinators=["a@clinic.example", "b@clinic.example"])
    put(engine, clinic, danger())
    deliverer(engine, clock, smtp=mail_house.url).deliver_due()
    assert sorted(mail_house.recipients) == ["a@clinic.example", "b@clinic.example"]
    with reading(engine) as db:
        assert Outbox(db).undelivered() == []
