"""The chat without JavaScript: a page of forms, the same conversation, the same guarantee.

There are no cookies, and nothing of a conversation ever stands in an address: its id and
token travel in hidden fields from one form to the next.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request

from bot.clinic.profile import Clinic
from bot.gateway.body import whole_body
from bot.gateway.in_flight import Answer
from bot.gateway.incoming import accepted_language
from bot.gateway.limits import Limits
from bot.gateway.origins import OWN, origin_of
from bot.gateway.own_words import OwnWords
from bot.gateway.refused import Refused
from bot.gateway.tokens import owner_of
from bot.gateway.turn import Turns
from bot.store import StoreError
from bot.vocabulary import LANGUAGES

_MOST_FIELDS = 20
_TOKEN_CHARACTERS = 100
_FROM_ELSEWHERE = "this form was not sent from our own page; open the chat and write there"


@dataclasses.dataclass
class Talk:
    """What one page of the chat shows and carries on.

    Attributes:
        language: of the page.
        conversation, token: None before the first form was sent.
        chosen: the language that the visitor chose and the assistant was not told yet.
        messages: the transcript, oldest first, as the API gives it.
        notice: what the page says above the form, if anything.
        status: of the answer.
        wait: seconds after which it may be tried again.
        draft: what was typed and could not be sent.
    """

    language: str
    conversation: str | None = None
    token: str | None = None
    chosen: str | None = None
    messages: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    notice: str | None = None
    status: int = 200
    wait: int | None = None
    draft: str = ""

    @property
    def next_id(self) -> str:
        """The id of the next message: the same form sent twice says it once."""
        return secrets.token_urlsafe(12)

    @property
    def choices(self) -> list[dict[str, str]]:
        """What can be pressed: the choices since the visitor's last words."""
        offered: list[dict[str, str]] = []
        for message in self.messages:
            offered = [] if message["from"] == "visitor" else offered + message["buttons"]
        return offered


class Forms:
    """Takes what the forms send.

    Args:
        turns: answers the messages.
        words: what the page says by itself.
        limits: counts what every sender asks.
        clock: gives the present time, zone-aware.
        stored, shown: a message of the transcript, and one of an answer, as the API
            gives them.
    """

    def __init__(
        self,
        turns: Turns,
        words: OwnWords,
        limits: Limits,
        clock: Callable[[], datetime],
        stored: Callable[[Any], dict[str, Any]],
        shown: Callable[[Any], dict[str, Any]],
    ):
        self._turns = turns
        self._words = words
        self._limits = limits
        self._clock = clock
        self._stored = stored
        self._shown = shown

    async def take(self, request: Request, fields: Mapping[str, str], clinic: Clinic) -> Talk:
        """Do what the form says, and give the page that answers it."""
        talk = Talk(
            language=page_language(request, fields.get("lang")),
            conversation=fields.get("conversation") or None,
            token=(fields.get("token") or "")[:_TOKEN_CHARACTERS] or None,
            chosen=_language(fields.get("chosen")),
        )
        sender = self._limits.sender(request)
        try:
            await self._act(talk, fields, clinic, sender)
        except Refused as refusal:
            if refusal.status == 404 and talk.conversation:
                # It was ended elsewhere, or is past keeping. What was said now still counts.
                talk.conversation = talk.token = None
                talk.messages = []
                await self._again(talk, fields, clinic, sender)
                talk.notice = talk.notice or self._words.word("form_begun_anew", talk.language)
            else:
                await self._explain(talk, refusal, fields)
        return talk

    async def _again(
        self, talk: Talk, fields: Mapping[str, str], clinic: Clinic, sender: str
    ) -> None:
        try:
            if fields.get("text", "").strip() or fields.get("do") == "help":
                await self._act(talk, fields, clinic, sender)
        except Refused as refusal:
            await self._explain(talk, refusal, fields)

    async def _act(
        self, talk: Talk, fields: Mapping[str, str], clinic: Clinic, sender: str
    ) -> None:
        """Raises Refused as the turns do."""
        do, text, button = fields.get("do"), fields.get("text", ""), fields.get("button")
        if do == "clear":
            await self._clear(talk)
            return
        if do in LANGUAGES:
            talk.language = talk.chosen = do
        help_now = do == "help"
        says = bool(help_now or button or text.strip())
        if talk.conversation is None and (says or do == "begin"):
            urgent = help_now or self._turns.reads_danger(text)
            await self._open(talk, clinic, sender, urgent=urgent)
        if says and talk.conversation:
            answer = await self._turns.take(
                talk.conversation,
                now=self._clock(),
                message_id=_identifier(fields.get("id")),
                text=None if help_now or button else text,
                button=None if help_now else button,
                help_now=help_now,
                language=talk.chosen,
                allowed=owner_of(talk.token or ""),
                pace=self._limits.message(sender, talk.conversation),
            )
            talk.chosen = None
            talk.language = answer.state.language
            await self._show(talk, answer, text)
        elif talk.conversation:
            await self._show(talk, None, "")

    async def _open(self, talk: Talk, clinic: Clinic, sender: str, *, urgent: bool) -> None:
        wait = self._limits.opening(sender)
        # Who has words of danger gets in; how many may is for the limit of messages.
        if wait and not urgent:
            reason = self._words.too_fast(clinic.id, talk.language)
            raise Refused(429, reason, retry_after=wait)
        opened = await self._turns.open(
            clinic.id,
            now=self._clock(),
            language=talk.chosen,
            greet_in=talk.language,
            origin=OWN,
        )
        talk.conversation, talk.token = opened.conversation, opened.token
        talk.messages = [_from_assistant(self._shown(one)) for one in opened.answer.messages]

    async def _clear(self, talk: Talk) -> None:
        if talk.conversation:
            try:
                await self._turns.end(
                    talk.conversation, now=self._clock(), allowed=owner_of(talk.token or "")
                )
            except StoreError:
                talk.notice = self._words.word("form_not_cleared", talk.language)
                talk.status = 503
                return
        talk.conversation = talk.token = talk.chosen = None
        talk.notice = self._words.word("form_cleared", talk.language)

    async def _show(self, talk: Talk, answer: Answer | None, said: str) -> None:
        """The transcript; where it cannot be read, at least what was just answered."""
        if talk.conversation is None:
            return
        try:
            transcript = await self._turns.transcript(
                talk.conversation, after=0, allowed=owner_of(talk.token or "")
            )
            talk.messages = [self._stored(message) for message in transcript]
        except StoreError:
            if said:
                talk.messages.append({"seq": None, "from": "visitor", "text": said})
        if answer is not None:
            known = {message["seq"] for message in talk.messages}
            # An answer that could not be written down is shown all the same.
            talk.messages += [
                _from_assistant(self._shown(one))
                for one in answer.messages
                if one.seq is None or one.seq not in known
            ]

    async def _explain(self, talk: Talk, refusal: Refused, fields: Mapping[str, str]) -> None:
        talk.status, talk.wait = refusal.status, refusal.retry_after
        talk.draft = fields.get("text", "")
        if refusal.status == 429:
            talk.notice = refusal.reason
        else:
            talk.notice = self._words.word("form_not_sent", talk.language)
        try:
            await self._show(talk, None, "")
        except Refused:
            talk.conversation = talk.token = None


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a form that our own page sent; raises Refused for any other.

    A page of somebody else could otherwise hand a visitor a conversation of its own
    and read along.
    """
    if not _from_our_own_page(request.headers):
        raise Refused(403, _FROM_ELSEWHERE)
    body = await whole_body(request)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="replace",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise Refused(400, "this is no form of ours") from None
    return dict(pairs)


def page_language(request: Request, asked: str | None) -> str:
    """The language that was asked for, else the browser's."""
    return _language(asked) or accepted_language(request.headers.get("accept-language", ""))


def _from_our_own_page(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    return origin_of(headers) == OWN


def _language(text: str | None) -> str | None:
    return text if text in LANGUAGES else None


def _identifier(text: str | None) -> str | None:
    """The message's id, if it is one; else the turn makes one up."""
    plain = text is not None and text.replace("-", "").replace("_", "").isalnum()
    return text if plain and text and text.isascii() and len(text) <= 40 else None


def _from_assistant(shown: dict[str, Any]) -> dict[str, Any]:
    return {**shown, "from": "assistant"}
