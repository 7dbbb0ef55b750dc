"""The clinic profile: every fact the assistant may state about one clinic.

One YAML file per clinic in `clinics/`, kept by clinic admins (docs/clinic-admins.md).
The file's schema stands here; a profile that loads can answer every FAQ topic in
both languages on both channels. Matters of quality (length, phone number, opening
hours that can be read) are for `bot.clinic.check`, so that a text that is one word
too long never stops the service.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import pydantic

from bot.reviewed import Bilingual, DataError, Document, Location, Problem, ReviewedModel
from bot.vocabulary import CHANNELS, FAQ_TOPICS, LANGUAGES

# Levels that are programs; the two above them are for emergency services.
ProgramLevel = Literal["outpatient", "iop", "php", "inpatient"]

_ORIGIN = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$")
_LOCAL_ORIGIN = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?$")
_PAGE = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9._~/?=&%-]*)?$")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}$")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_PLACEHOLDERS = ("phone", "hours", "reach_us")


class Text(pydantic.ConstrainedStr):
    """Words; never blank."""

    strip_whitespace = True
    min_length = 1


class Identifier(pydantic.ConstrainedStr):
    """A name for code: small letters, digits and underscores."""

    regex = re.compile(r"^[a-z][a-z0-9_]*$")


class E164(pydantic.ConstrainedStr):
    """A phone number as machines dial it: +18882780716."""

    regex = re.compile(r"^\+[1-9][0-9]{7,14}$")

    @classmethod
    def validate(cls, value: str) -> str:
        if not cls.regex.match(value):
            raise ValueError('write it in quotation marks, with + and 1: "+18882780716"')
        return value


class StateCode(pydantic.ConstrainedStr):
    """A US state's two letters."""

    regex = re.compile(r"^[A-Z]{2}$")


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the clinic says about one FAQ topic.

    Attributes:
        text: plain text, nothing left to fill in; "- " starts a list item.
        follow_up: topics worth offering next, best first.
        known: False where the clinic's own material is silent.
        source: where the facts stand, e.g. the article's file name and section.
    """

    text: str
    follow_up: tuple[str, ...]
    known: bool
    source: str


class Phone(ReviewedModel):
    """A phone line: `e164` to dial, `display` to read, and where it was found."""

    e164: E164
    display: Text
    source: Text


class CrisisLine(Phone):
    """The state's own crisis line, beside 988 and 911."""

    name: Bilingual


class DatedException(ReviewedModel):
    """Other hours on one date; they win over the rule and over public holidays.

    Attributes:
        date: ISO date in the clinic's zone.
        hours: "off", or times such as "09:00-12:00".
        reason: why, for colleagues; visitors do not read it.
    """

    date: datetime.date
    hours: Text
    reason: Text


class Hours(ReviewedModel):
    """When the consultation line is staffed.

    Attributes:
        rule: OSM opening_hours syntax, in the clinic's zone.
        in_words: the same for visitors.
        exceptions: single dates with other hours.
        example: the rule is made up and waits for the clinic's own hours.
        reason: why the rule is as it is.
    """

    rule: Text
    in_words: Bilingual
    exceptions: tuple[DatedException, ...] = ()
    example: bool
    reason: Text


class CallbackPromise(ReviewedModel):
    """What a visitor who asked for a call is told to expect.

    Attributes:
        next_opening: while the line is closed; `{opens_at}` is when it opens.
        general: while it is open, or when its hours cannot be read.
        reason: who promised it.
    """

    next_opening: Bilingual
    general: Bilingual
    reason: Text


class _WrittenAnswer(ReviewedModel):
    """One answer per channel and language, and the topics to offer after it."""

    source: Text
    follow_up: list[Identifier] = pydantic.Field(min_items=1, max_items=3, unique_items=True)
    web: Bilingual
    sms: Bilingual

    def on_channel(self, channel: str) -> Bilingual:
        """The texts for `channel`, a member of `bot.vocabulary.CHANNELS`."""
        text: Bilingual = getattr(self, channel)
        return text


class FaqEntry(_WrittenAnswer):
    """The clinic's answer to one topic of `bot.vocabulary.FAQ_TOPICS`."""

    topic: Literal[FAQ_TOPICS]  # type: ignore[valid-type]
    known: bool


class Questions(ReviewedModel):
    """How visitors ask for an added entry; each phrasing becomes a training example."""

    en: list[Text] = pydantic.Field(min_items=1)
    es: list[Text] = pydantic.Field(min_items=1)


class ExtraFaqEntry(_WrittenAnswer):
    """A question and answer that the clinic's admin added.

    Attributes:
        id: names the entry; its intent is `faq_<id>`.
        label: the quick reply's words, at most 28 characters.
        questions: phrasings that train the assistant to recognise it.
    """

    id: Identifier
    label: Bilingual
    questions: Questions


class EmailAddress(pydantic.ConstrainedStr):
    """An e-mail address as the HTML standard defines a valid one, with a dot in its domain.

    Source: https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
    """

    regex = re.compile(
        r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+"
        r"@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
        r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+\Z"
    )


class SecureUrl(pydantic.ConstrainedStr):
    """An https:// address; http:// only on this machine."""

    regex = re.compile(
        r"^(?:https://[^\s/@]+|http://(?:localhost|127\.0\.0\.1)(?::\d+)?)(?:/\S*)?\Z"
    )
    max_length = 500


class VariableName(pydantic.ConstrainedStr):
    """The name of an environment variable."""

    regex = re.compile(r"^[A-Z][A-Z0-9_]*\Z")


class ClinicWebhook(ReviewedModel):
    """Where notices are posted.

    Attributes:
        url: the receiver.
        secret_from: the environment variable that holds the signing secret ("whsec_...").
    """

    url: SecureUrl
    secret_from: VariableName


class Notifications(ReviewedModel):
    """Who is told when somebody waits; nobody unless the clinic says so.

    Attributes:
        coordinators: e-mail addresses, for new requests and the digest.
        supervisors: e-mail addresses, for urgent requests that stay unclaimed.
        webhook: gets every notice.
        urgent_after_minutes: an urgent request unclaimed so long pages again.
        supervisor_after_minutes: unclaimed so long, it pages the supervisors, and then
            everybody every hour.
        digest: whether coordinators get one e-mail at opening time about the night.
    """

    coordinators: list[EmailAddress] = pydantic.Field(default=[], unique_items=True)
    supervisors: list[EmailAddress] = pydantic.Field(default=[], unique_items=True)
    webhook: ClinicWebhook | None = None
    urgent_after_minutes: int = pydantic.Field(default=15, ge=1, le=1440, strict=True)
    supervisor_after_minutes: int = pydantic.Field(default=30, ge=1, le=1440, strict=True)
    digest: bool = True

    @property
    def reach_somebody(self) -> bool:
        """Whether there is any target."""
        return bool(self.coordinators or self.supervisors or self.webhook)

    @pydantic.validator("supervisor_after_minutes")
    def _supervisors_come_later(cls, minutes: int, values: dict[str, object]) -> int:
        first = values.get("urgent_after_minutes")
        if isinstance(first, int) and minutes <= first:
            raise ValueError(f"must be more than urgent_after_minutes ({first})")
        return minutes


class Sms(ReviewedModel):
    """The clinic's number for texts.

    Attributes:
        number: as it was bought at Twilio; no two clinics share one.
    """

    number: E164


class Website(ReviewedModel):
    """The clinic's own website, on which the chat may be put.

    Attributes:
        origins: where the chat may be used beside Handrail's own pages, as browsers
            write it: https://www.clinic.example. Links in the chat lead nowhere else.
        exit_page: where "leave now" leads: a harmless page that anybody might read.
        accent: colour of buttons, #rrggbb; the house's own where there is none.
    """

    origins: tuple[Text, ...] = ()
    exit_page: Text = Text("https://www.weather.gov/")
    accent: Text | None = None

    @pydantic.validator("origins", each_item=True)
    def _is_origin(cls, value: str) -> str:
        if not (_ORIGIN.match(value) or _LOCAL_ORIGIN.match(value)):
            raise ValueError(
                "write it as browsers do, small letters, no path, no slash at the end: "
                "https://www.clinic.example"
            )
        return value

    @pydantic.validator("exit_page")
    def _is_page(cls, value: str) -> str:
        if not _PAGE.match(value):
            raise ValueError("a whole address is needed: https://www.weather.gov/")
        return value

    @pydantic.validator("accent")
    def _is_colour(cls, value: str | None) -> str | None:
        if value is not None and not _COLOUR.match(value):
            raise ValueError('a colour is written "#1f5f5b", in quotes')
        return value


class Sources(ReviewedModel):
    """Where the facts at the head of a profile stand."""

    state: Text
    levels_offered: Text
    outpatient_for_moderate_with_strong_support: Text


class Clinic(ReviewedModel):
    """One clinic. Read it with `load_clinic`.

    Attributes:
        id: also the file's name.
        state: where the clinic is; decides the local crisis line and the law.
        licensed_states: where its patients may live; elsewhere no level is suggested.
        time_zone: IANA name; hours are in this zone.
        phone: the consultation line; None where the clinic has given none, then
            every hand-off is a callback.
        levels_offered: levels of care the clinic itself runs, lowest first.
        levels_by_referral: levels it only refers to.
        outpatient_for_moderate_with_strong_support: whether weekly therapy suits
            moderate symptoms of someone with strong support at home.
        website: where the chat may be put; without it, on Handrail's own pages only.
        reach_us: the sentence that ends an answer the material does not give.
        notifications: who is told when somebody waits.
        sms: its number for texts; None: it has none.
    """

    id: Identifier
    name: Text
    short_name: Text
    state: Literal["MA", "GA"]
    licensed_states: list[StateCode] = pydantic.Field(min_items=1)
    time_zone: Text
    phone: Phone | None = pydantic.Field(...)
    crisis_line: CrisisLine
    hours: Hours
    levels_offered: list[ProgramLevel] = pydantic.Field(min_items=1)
    levels_by_referral: list[ProgramLevel]
    outpatient_for_moderate_with_strong_support: bool
    sources: Sources
    website: Website = Website()
    reach_us: Bilingual
    callback_promise: CallbackPromise
    notifications: Notifications = Notifications()
    sms: Sms | None = None
    faq: list[FaqEntry]
    extra_faq: list[ExtraFaqEntry]

    @property
    def levels_within_reach(self) -> tuple[str, ...]:
        """Levels that the clinic runs or refers to: a visitor can ask it about them."""
        return (*self.levels_offered, *self.levels_by_referral)

    def answer(self, topic: str, *, language: str, channel: str) -> Answer:
        """What this clinic says about `topic`.

        Args:
            topic: a member of `bot.vocabulary.FAQ_TOPICS` or the id of an added entry.
            language: "en" or "es".
            channel: "web" or "sms".

        Raises:
            KeyError: no such topic.
        """
        entry = self._entry(topic)
        return Answer(
            text=self.fill_in(entry.on_channel(channel).in_language(language), language),
            follow_up=tuple(entry.follow_up),
            known=entry.known if isinstance(entry, FaqEntry) else True,
            source=entry.source,
        )

    def has_topic(self, topic: str) -> bool:
        """Whether `answer` knows `topic`: an entry that another clinic added is none."""
        return topic in FAQ_TOPICS or any(extra.id == topic for extra in self.extra_faq)

    def fill_in(self, text: str, language: str) -> str:
        """`text` with {phone}, {hours} and {reach_us} replaced by this clinic's own.

        Raises:
            KeyError: an unknown placeholder, or {phone} of a clinic without one.
        """

        def value(match: re.Match[str]) -> str:
            if match[1] == "hours":
                return self.hours.in_words.in_language(language)
            if match[1] == "phone" and self.phone:
                return str(self.phone.display)
            raise KeyError(match[1])

        return _PLACEHOLDER.sub(
            value, text.replace("{reach_us}", self.reach_us.in_language(language))
        )

    def _entry(self, topic: str) -> FaqEntry | ExtraFaqEntry:
        for entry in self.faq:
            if entry.topic == topic:
                return entry
        for extra in self.extra_faq:
            if extra.id == topic:
                return extra
        raise KeyError(topic)


class Profile(NamedTuple):
    """A profile as read: the file with its lines, and the clinic in it."""

    document: Document
    clinic: Clinic


def load_clinic(path: Path) -> Clinic:
    """The clinic in the YAML file at `path`; raises `DataError` with every mistake found."""
    document, clinic = read_profile(path)
    problems = usability_problems(document, clinic)
    if problems:
        raise DataError(problems)
    return clinic


def load_clinics(folder: Path) -> dict[str, Clinic]:
    """Every clinic of `folder` (*.yml) by id, in order of file name.

    Raises:
        DataError: a profile cannot be used, or there is none.
    """
    paths = profile_paths(folder)
    if not paths:
        raise DataError([Problem(folder, 1, "no clinic profile (*.yml) is here")])
    clinics: dict[str, Clinic] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            clinic = load_clinic(path)
        except DataError as error:
            problems += error.problems
        else:
            problems += _number_of_another(path, clinic, clinics)
            clinics[clinic.id] = clinic
    if problems:
        raise DataError(problems)
    return clinics


def added_questions(clinics: Mapping[str, Clinic]) -> dict[str, list[str]]:
    """How visitors ask for the entries that clinics added, in both languages.

    Returns:
        the phrasings by topic; entries of several clinics with one id are one topic.
    """
    asked: dict[str, dict[str, None]] = {}
    for clinic in clinics.values():
        for extra in clinic.extra_faq:
            phrasings = asked.setdefault(extra.id, {})
            phrasings.update(dict.fromkeys([*extra.questions.en, *extra.questions.es]))
    return {topic: list(phrasings) for topic, phrasings in asked.items()}


def _number_of_another(path: Path, clinic: Clinic, others: dict[str, Clinic]) -> list[Problem]:
    """A text must belong to one clinic: by its number."""
    if clinic.sms is None:
        return []
    return [
        Document(path).problem(("sms", "number"), f"{other.id} has this number for texts already")
        for other in others.values()
        if other.sms and other.sms.number == clinic.sms.number
    ]


def profile_paths(folder: Path) -> list[Path]:
    """The profile files of `folder`, sorted by name."""
    return sorted(folder.glob("*.yml"))


def read_profile(path: Path) -> Profile:
    """The profile at `path`, checked against the schema only; raises `DataError`."""
    document = Document(path)
    return Profile(document, document.parse(Clinic))


def usability_problems(document: Document, clinic: Clinic) -> list[Problem]:
    """What keeps a profile that fits the schema from being used."""
    problems: list[Problem] = []
    if clinic.id != document.path.stem:
        problems.append(
            document.problem(("id",), f"the id {clinic.id!r} must be the file's name without .yml")
        )
    problems += _topic_problems(document, clinic)
    for location, text, allowed in _texts_with_placeholders(clinic):
        for name in _PLACEHOLDER.findall(text):
            if name not in allowed:
                known = ", ".join(f"{{{each}}}" for each in allowed)
                message = f"unknown placeholder {{{name}}}; use {known}"
            elif name == "phone" and clinic.phone is None:
                message = "{phone} stands here, but the clinic's phone is null"
            else:
                continue
            problems.append(document.problem(location, message))
    return problems


class AnswerText(NamedTuple):
    """One written answer of a profile: where it stands, and for whom it is."""

    location: Location
    channel: str
    language: str
    text: str


def answer_texts(clinic: Clinic) -> Iterator[AnswerText]:
    """Every answer of `clinic` as written, placeholders and all."""
    for section, entries in (("faq", clinic.faq), ("extra_faq", clinic.extra_faq)):
        for position, entry in enumerate(entries):
            for channel in CHANNELS:
                for language in LANGUAGES:
                    yield AnswerText(
                        (section, position, channel, language),
                        channel,
                        language,
                        entry.on_channel(channel).in_language(language),
                    )


def _topic_problems(document: Document, clinic: Clinic) -> Iterator[Problem]:
    places: dict[str, Location] = {}
    for section, names in (
        ("faq", [entry.topic for entry in clinic.faq]),
        ("extra_faq", [entry.id for entry in clinic.extra_faq]),
    ):
        for position, name in enumerate(names):
            if name in places:
                yield document.problem(
                    (section, position), f"{name!r} has an answer already; keep one"
                )
            places[name] = (section, position)
    for topic in FAQ_TOPICS:
        if topic not in places:
            yield document.problem(("faq",), f"the topic {topic!r} has no answer; add one")
    for section, entries in (("faq", clinic.faq), ("extra_faq", clinic.extra_faq)):
        for position, entry in enumerate(entries):
            for index, topic in enumerate(entry.follow_up):
                if places.get(topic, (section, position)) == (section, position):
                    yield document.problem(
                        (section, position, "follow_up", index),
                        f"the follow-up {topic!r} is not another topic of this clinic",
                    )


def _texts_with_placeholders(clinic: Clinic) -> Iterator[tuple[Location, str, tuple[str, ...]]]:
    for answer in answer_texts(clinic):
        yield answer.location, answer.text, _PLACEHOLDERS
    for language in LANGUAGES:
        yield ("reach_us", language), clinic.reach_us.in_language(language), ("phone",)
        promise = clinic.callback_promise
        yield (
            ("callback_promise", "next_opening", language),
            promise.next_opening.in_language(language),
            ("opens_at",),
        )
