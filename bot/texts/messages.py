"""The fixed sentences of the assistant, from `messages.yml`."""

from __future__ import annotations

import dataclasses
import string
from pathlib import Path

from bot.reviewed import Bilingual, DataError, Document, Problem, ReviewedModel
from bot.turns import BotMessage, Button
from bot.vocabulary import LANGUAGES

MESSAGES = Path(__file__).with_name("messages.yml")


class Choice(ReviewedModel):
    """A button that messages offer."""

    intent: str
    en: str
    es: str


class Message(Bilingual):
    """One reviewed message; `sms` replaces the text on SMS."""

    id: str
    why: str
    sms: Bilingual | None = None
    buttons: tuple[str, ...] = ()


class _File(ReviewedModel):
    choices: dict[str, Choice]
    messages: list[Message]


@dataclasses.dataclass(frozen=True)
class Texts:
    """Every fixed message by its id."""

    messages: dict[str, Message]
    choices: dict[str, Choice]

    def text(self, name: str, language: str, channel: str = "web", /, **values: str) -> str:
        """The text of message `name`.

        Args:
            name: id in messages.yml.
            language: "en" or "es".
            channel: "web" or "sms".
            values: a value for every placeholder of the text.

        Raises:
            KeyError: no such message, or a placeholder without a value.
        """
        message = self.messages[name]
        template = message.sms if channel == "sms" and message.sms else message
        return template.in_language(language).strip().format_map(values)

    def button(self, choice: str, language: str) -> Button:
        """The button of a choice in messages.yml."""
        chosen = self.choices[choice]
        return Button(label=str(getattr(chosen, language)), intent=chosen.intent)

    def message(
        self, name: str, language: str, channel: str = "web", /, **values: str
    ) -> BotMessage:
        """Message `name` with its buttons; arguments as in `text`."""
        return BotMessage(
            text=self.text(name, language, channel, **values),
            response=name,
            buttons=[self.button(choice, language) for choice in self.messages[name].buttons],
        )


def load_texts(path: Path = MESSAGES) -> Texts:
    """Read and check the messages; raises `DataError` with every mistake."""
    document = Document(path)
    content = document.parse(_File)
    problems = list(_problems(document, content))
    if problems:
        raise DataError(problems)
    return Texts({message.id: message for message in content.messages}, dict(content.choices))


def _problems(document: Document, content: _File) -> list[Problem]:
    problems = []
    seen: set[str] = set()
    for index, message in enumerate(content.messages):
        place = ("messages", index)
        if message.id in seen:
            problems.append(document.problem(place, f"the id {message.id!r} stands twice"))
        seen.add(message.id)
        for choice in message.buttons:
            if choice not in content.choices:
                problems.append(document.problem(place, f"no choice is named {choice!r}"))
        expected = _placeholders(message.en)
        for language in LANGUAGES:
            if _placeholders(message.in_language(language)) != expected:
                problems.append(
                    document.problem(
                        (*place, language),
                        f"{message.id}: {language} names other placeholders than en",
                    )
                )
            if message.sms and not _placeholders(message.sms.in_language(language)) <= expected:
                problems.append(
                    document.problem(
                        (*place, "sms", language),
                        f"{message.id}: the SMS text names a placeholder that en lacks",
                    )
                )
    return problems


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
