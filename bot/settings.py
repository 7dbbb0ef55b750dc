"""Where Handrail finds its things: every setting, read once from the environment."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
from pathlib import Path
from typing import Mapping, Union

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
ROOT = Path(__file__).resolve().parent.parent
MOST_BRAINS = 64  # of one gateway, which is one process: more machines help then, not more brains


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of one installation.

    Attributes:
        data: folder for the database, the brain's socket and the lock.
        clinics: folder of clinic profiles.
        model: the trained model.
        database: SQLAlchemy URL; SQLite under `data` unless set.
        host, port: where the gateway listens.
        brains: how many brain processes share the conversations.
        brain: which of them this process is, from 1; the supervisor sets it.
        retention: YAML that says how long each kind of record is kept.
        keys: the keys that encrypt the database; None: they are in `key_file`.
        proxies: networks of our own proxies; only their X-Forwarded-For is believed.
        public_url: the address at which staff and visitors reach the gateway.
        twilio_account: the account of texts (SMS); None: no texts come or go.
        twilio_tokens: its secrets, the present one first; two while one replaces the other.
        twilio_api: where texts are handed in.
        smtp: the mail server's URL, see `bot.worker.mail.read_mail_server`; None: no
            e-mail is sent.
    """

    data: Path
    clinics: Path
    model: Path
    database: str
    host: str
    port: int
    brains: int = 1
    brain: int = 1
    retention: Path = ROOT / "bot" / "store" / "retention.yml"
    keys: str | None = dataclasses.field(default=None, repr=False)
    proxies: tuple[Network, ...] = ()
    public_url: str = "http://localhost:8000"
    smtp: str | None = dataclasses.field(default=None, repr=False)  # has a password in it
    twilio_account: str | None = None
    twilio_tokens: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    twilio_api: str = "https://api.twilio.com"

    @property
    def console(self) -> str:
        """Where staff open the console."""
        return f"{self.public_url}/console"

    @property
    def sockets(self) -> dict[str, Path]:
        """The Unix sockets on which the brains listen, by the brains' names, first to last."""
        numbers = range(1, self.brains + 1)
        return {
            "brain" if self.brains == 1 else f"brain {number}": self.data / f"brain-{number}.sock"
            for number in numbers
        }

    @property
    def socket(self) -> Path:
        """The Unix socket of this process, if it is a brain."""
        return self.data / f"brain-{self.brain}.sock"

    @property
    def key_file(self) -> Path:
        """The keys that encrypt the database, unless HANDRAIL_KEYS has them."""
        return self.data / "keys"

    @property
    def safety_model(self) -> Path:
        """The trained second vote of the safety screen, beside the model."""
        return self.model.parent / "safety.npz"

    @property
    def prepared(self) -> Path:
        """What `handrail train` has laid out for a quick start, see `bot.prepared`."""
        return self.model.parent / "prepared"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read HANDRAIL_* variables; raises ValueError naming a bad one.

        One that is set to nothing, as in a compose file, counts as not set; but keys that are
        nothing are a mistake, since others would be made in their place.
        """
        environment = {
            name: value for name, value in environment.items() if value or name == "HANDRAIL_KEYS"
        }
        data = Path(environment.get("HANDRAIL_DATA", ROOT / "var")).resolve()
        port = environment.get("HANDRAIL_PORT", "8000")
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"HANDRAIL_PORT must be a port from 1 to 65535, not {port!r}")
        return cls(
            data=data,
            clinics=Path(environment.get("HANDRAIL_CLINICS", ROOT / "clinics")),
            model=Path(environment.get("HANDRAIL_MODEL", ROOT / "models" / "handrail.tar.gz")),
            database=environment.get("HANDRAIL_DATABASE", f"sqlite:///{data / 'handrail.db'}"),
            host=environment.get("HANDRAIL_HOST", "127.0.0.1"),
            port=int(port),
            brains=read_brains(environment.get("HANDRAIL_BRAINS", "1"), "HANDRAIL_BRAINS"),
            brain=read_brains(environment.get("HANDRAIL_BRAIN", "1"), "HANDRAIL_BRAIN"),
            retention=Path(
                environment.get("HANDRAIL_RETENTION", ROOT / "bot" / "store" / "retention.yml")
            ),
            keys=environment.get("HANDRAIL_KEYS"),
            proxies=_networks(environment.get("HANDRAIL_PROXIES", "")),
            public_url=_public_url(environment, port),
            smtp=environment.get("HANDRAIL_SMTP"),
            twilio_account=environment.get("HANDRAIL_TWILIO_ACCOUNT"),
            twilio_tokens=tuple(environment.get("HANDRAIL_TWILIO_TOKENS", "").split()),
            twilio_api=environment.get("HANDRAIL_TWILIO_API", "https://api.twilio.com"),
        )


def read_brains(text: str, name: str) -> int:
    """How many brains `text` asks for; raises ValueError that calls the setting `name`."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MOST_BRAINS:
        raise ValueError(f"{name} must be a number from 1 to {MOST_BRAINS}, not {text!r}")
    return int(text)


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(f"HANDRAIL_PROXIES: {error}; write 10.0.0.1 or 10.0.0.0/24") from None


def _public_url(environment: Mapping[str, str], port: str) -> str:
    url = environment.get("HANDRAIL_PUBLIC_URL", f"http://localhost:{port}").rstrip("/")
    if not re.fullmatch(r"https?://[^\s?#]+", url):
        raise ValueError(
            f"HANDRAIL_PUBLIC_URL must be an address such as https://chat.example.org, not {url!r}"
        )
    return url
