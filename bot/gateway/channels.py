"""What each channel can show, and how a reply looks on it.

A channel declares what it can do; nothing else asks which channel it is.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import timedelta

from bot.turns import BotMessage, Button

_NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "uno": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6,
    "siete": 7, "ocho": 8, "nueve": 9,
}  # fmt: skip
_LONGEST_NUMBER = 60  # characters, with what stands around it
# "2", "#2.", "option 2 please", and what a phone writes below it.
_DIGITS = re.compile(
    r"^(?:(?:option|number|choice|answer|opci[oó]n|n[uú]mero|respuesta)\s+)?#?\s*(\d{1,2})\s*[.)!]?"
    r"(?:\s*,?\s*(?:please|pls|plz|thanks|thank you|thx|por favor|gracias)[.!]*)?"
    r"(?:\s*\n\s*(?:sent from|enviado desde)\b[^\n]*)?$",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Rendered:
    """A message as the channel shows it; `choices` are the buttons that go with it."""

    text: str
    response: str
    choices: tuple[Button, ...] = ()


@dataclasses.dataclass(frozen=True)
class Channel:
    """What a channel can do.

    Attributes:
        name: as in `bot.vocabulary.CHANNELS`.
        buttons: choices are buttons beside the text; otherwise they are numbered
            lines of the text and are answered with the digit.
        joins_messages: a reply is sent as one message, not as several.
        most_characters: longest text of one message; None where there is no limit.
        choices_last: for so long "1" means the first choice; None: as long as it stands.
        one_by_one: a message is read only when those before it are answered. None of them
            is waited for with patience: danger may stand behind it.
    """

    name: str
    buttons: bool
    joins_messages: bool = False
    most_characters: int | None = None
    choices_last: timedelta | None = None
    one_by_one: bool = False

    def render(self, messages: Sequence[BotMessage]) -> list[Rendered]:
        """The reply as this channel shows it, at least one message for at least one."""
        if not self.joins_messages:
            return [
                Rendered(message.text, message.response, tuple(message.buttons))
                for message in messages
            ]
        # One question is answered at a time: the last message that offers choices.
        choices = next((tuple(m.buttons) for m in reversed(messages) if m.buttons), ())
        parts = self._parts("\n\n".join(message.text for message in messages))
        if choices and not self.buttons:
            numbered = "\n".join(f"{n} {button.label}" for n, button in enumerate(choices, 1))
            together = f"{parts[-1]}\n{numbered}"
            # The choices stay together; the last text carries them.
            parts[-1:] = [together] if self._fits(together) else [parts[-1], *self._parts(numbered)]
        response = messages[0].response
        return [
            *(Rendered(part, response) for part in parts[:-1]),
            Rendered(parts[-1], response, choices),
        ]

    def choice(self, typed: str, offered: Sequence[Button]) -> int | None:
        """Which of the `offered` choices `typed` means, counted from 0; None if none.

        The label counts on every channel. Where choices are numbered, so do the
        digit ("2", "2."), its word ("two", "dos"), the line itself ("2 Yes, part
        time") and the label's first word ("yes") if only one label starts with it.
        """
        said = _plain(typed)
        labels = [_plain(button.label) for button in offered]
        if said in labels:
            return labels.index(said)
        if self.buttons or not said:
            return None
        lines = [f"{number} {label}" for number, label in enumerate(labels, start=1)]
        if said in lines:
            return lines.index(said)
        number = _number(typed)
        number = _NUMBER_WORDS.get(said) if number is None else number
        if number is not None:
            return number - 1 if 1 <= number <= len(offered) else None
        starts = [index for index, label in enumerate(labels) if label.split(" ")[0] == said]
        return starts[0] if len(starts) == 1 else None

    def _fits(self, text: str) -> bool:
        return self.most_characters is None or len(text) <= self.most_characters

    def _parts(self, text: str) -> list[str]:
        return [text] if self.most_characters is None else _parts(text, self.most_characters)


CHANNELS = {
    channel.name: channel
    for channel in (
        Channel("web", buttons=True),
        # Two SMS segments; longer ones are sent as several texts. Nobody remembers tomorrow
        # what "1" was.
        Channel(
            "sms",
            buttons=False,
            joins_messages=True,
            most_characters=320,
            choices_last=timedelta(hours=12),
            one_by_one=True,
        ),
    )
}


def is_number(typed: str) -> bool:
    """Whether `typed` looks like the number of a choice."""
    return _number(typed) is not None


def _number(typed: str) -> int | None:
    """The number of a choice as people write it, or None."""
    found = _DIGITS.match(typed.strip()) if len(typed) <= _LONGEST_NUMBER else None
    return int(found[1]) if found else None


def _plain(text: str) -> str:
    """Lower case, one space between words, without punctuation around words."""
    words = (word.strip(".,;:!?¡¿\"'()[]") for word in text.casefold().split())
    return " ".join(word for word in words if word)


def _parts(text: str, most: int) -> list[str]:
    """`text` in parts of at most `most` characters, broken at the best place near the end."""
    parts = []
    while len(text) > most:
        cut = _break_before(text, most)
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*parts, text]


def _break_before(text: str, most: int) -> int:
    """Where to break: after a paragraph, a line, a sentence, a word, else anywhere."""
    head = text[: most + 1]
    for mark, extra in (("\n\n", 0), ("\n", 0), (". ", 1), ("? ", 1), (" ", 0)):
        cut = head.rfind(mark)
        if cut > 0:
            return cut + extra
    return most
