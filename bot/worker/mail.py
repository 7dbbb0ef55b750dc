"""Notices by e-mail: one SMTP session for several, one e-mail for each address."""

from __future__ import annotations

import dataclasses
import smtplib
import ssl
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime

from bot.notify.wording import subject_of, text_of
from bot.sending import PATIENCE, Failed, NotReady
from bot.store.outbox import Notification
from bot.worker.channel import Send

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_USAGE = (
    "HANDRAIL_SMTP must look like smtp+starttls://user:password@host:587?from=handrail@example.org "
    "(or smtps://, or smtp:// without encryption)"
)


@dataclasses.dataclass(frozen=True)
class MailServer:
    """Where e-mail is handed in.

    Attributes:
        security: "smtp" (none), "smtp+starttls" or "smtps".
        user, password: for login; None where the server wants none.
        sender: the address it comes from.
    """

    security: str
    host: str
    port: int
    user: str | None
    password: str | None = dataclasses.field(repr=False)
    sender: str


def read_mail_server(url: str | None) -> MailServer:
    """The server in HANDRAIL_SMTP, e.g. `smtps://user:p%40ss@mail.example.org?from=a@b.org`.

    Raises:
        NotReady: it is not set, or not usable; the text never quotes it.
    """
    if not url:
        raise NotReady("HANDRAIL_SMTP is not set, so no e-mail can be sent")
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        [sender] = urllib.parse.parse_qs(parts.query, strict_parsing=True)["from"]
    except (ValueError, KeyError):
        raise NotReady(_USAGE) from None
    if not parts.hostname or "@" not in sender or any(c.isspace() or c in "<>" for c in sender):
        raise NotReady(_USAGE)
    return MailServer(
        security=parts.scheme,
        host=parts.hostname,
        port=port,
        user=None if parts.username is None else urllib.parse.unquote(parts.username),
        password=urllib.parse.unquote(parts.password or ""),
        sender=sender,
    )


class Mail:
    """Sends e-mail.

    Args:
        url: HANDRAIL_SMTP.
        console: the address at which staff open the console.
        patience: seconds for each answer of the server.
        trusted: which certificates the server may show; the system's unless given.
    """

    def __init__(
        self,
        url: str | None,
        console: str,
        *,
        patience: float = PATIENCE,
        trusted: ssl.SSLContext | None = None,
    ):
        self._url = url
        self._console = console
        self._patience = patience
        self._trusted = trusted

    def receiver(self, _: Notification) -> str:
        """See `bot.worker.channel.Channel`: all e-mail is handed to the one server."""
        return "smtp"

    @contextmanager
    def session(self, _: Notification) -> Iterator[Send]:
        """See `bot.worker.channel.Channel`."""
        server = read_mail_server(self._url)
        try:
            connection = self._connect(server)
        except smtplib.SMTPResponseException as error:
            raise Failed(_said("the mail server", error.smtp_code), down=True) from None
        except (OSError, smtplib.SMTPException) as error:
            raise Failed(_broke(error), down=True) from None
        try:
            yield lambda notification: self._send(connection, server, notification)
            # What was sent is sent, whether or not the server hears the farewell.
            with suppress(OSError, smtplib.SMTPException):
                connection.quit()
        finally:
            connection.close()

    def _connect(self, server: MailServer) -> smtplib.SMTP:
        trusted = self._trusted or ssl.create_default_context()
        connection: smtplib.SMTP
        if server.security == "smtps":
            connection = smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._patience, context=trusted
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=self._patience)
        try:
            if server.security == "smtp+starttls":
                connection.starttls(context=trusted)
            if server.user is not None:
                connection.login(server.user, server.password or "")
        except BaseException:
            connection.close()
            raise
        return connection

    def _send(
        self, connection: smtplib.SMTP, server: MailServer, notification: Notification
    ) -> None:
        message = self.message(server.sender, notification)
        try:
            connection.send_message(message, server.sender, [notification.target])
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _)] = error.recipients.values()
            raise Failed(_said("the recipient's address", code), refused=code >= 500) from None
        except smtplib.SMTPResponseException as error:
            refused = error.smtp_code >= 500
            raise Failed(_said("the e-mail", error.smtp_code), refused=refused) from None
        except (OSError, smtplib.SMTPException) as error:
            raise Failed(_broke(error), down=True) from None

    def message(self, sender: str, notification: Notification) -> EmailMessage:
        """The e-mail; the same bytes at every attempt."""
        message = EmailMessage()
        message["From"] = sender
        message["To"] = notification.target
        message["Subject"] = subject_of(notification.kind, notification.payload)
        message["Date"] = format_datetime(notification.created)
        # A mailbox that gets it twice can tell by this (RFC 5322, 3.6.4).
        message["Message-ID"] = f"<{notification.id}@{sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
        message.set_content(text_of(notification.kind, notification.payload, self._console))
        return message


def _said(what: str, code: int) -> str:
    """Without the server's words: they may quote anything."""
    return f"the mail server refused {what} (SMTP {code})" if code >= 0 else _broke(None)


def _broke(error: BaseException | None) -> str:
    kind = type(error).__name__ if error is not None else "no answer"
    return f"the mail server cannot be used ({kind})"
