"""What the questionnaire says to the visitor: questions, progress, recap, result.

Wording only; `actions/triage.py` decides what is said when.
"""

from __future__ import annotations

from collections.abc import Sequence

from actions.turn import Turn
from bot.brain import names
from bot.care.answers import tells_of_need, tells_whom_and_age
from bot.care.corrections import corrections
from bot.care.engine import Disposition
from bot.care.jurisdictions import Gate, level_may_be_shown
from bot.care.questionnaire import FOR_WHOM, THIS_PERSON, Item
from bot.care.sheet import AnswerSheet
from bot.care.states import load_states
from bot.turns import BotMessage, Button
from bot.vocabulary import ANSWER, CONSULTATION, INPATIENT, ITEMS, STATE, UNKNOWN

_RECAP_ON_SMS = 255  # characters, so that the two choices fit into 320 with it
_ENOUGH_TO_REMEMBER = 5  # answers
_EVERY = 3  # answers between two notes of progress
_NEARLY_DONE = 2  # questions; the estimate is not better than that


def sheet_of(turn: Turn) -> AnswerSheet:
    """The answers so far, in the order in which they were given."""
    given = turn.answers()
    order = [item for item in turn.tracker.get_slot(names.ASKED) or [] if item in given]
    ordered = {item: given[item] for item in (*order, *given)}
    return AnswerSheet(turn.house.questionnaire, ordered, turn.tracker.get_slot(names.RELATION))


def is_for_the_questionnaire(turn: Turn) -> bool:
    """Whether a message outside forms tells about a need, or corrects an answer.

    It may look like a question about the clinic, or like nothing known.
    """
    if turn.tracker.active_loop.get("name"):
        return False
    given = sheet_of(turn).given
    unsure_which = turn.intent in ("faq_age_eligibility", "nlu_fallback")
    for_whom_and_how_old = unsure_which and tells_whom_and_age(turn.text)
    return (
        for_whom_and_how_old
        or tells_of_need(turn.text)
        or bool(corrections(turn.text, turn.language, given))
    )


def question(turn: Turn, item: Item, sheet: AnswerSheet, *, short: bool) -> BotMessage:
    """The question with its choices and "Skip"; the short form after a side question."""
    text = item.question(
        turn.language,
        sheet.given.get(FOR_WHOM, "self"),
        short=short,
        person=sheet.person(turn.language),
    )
    if short:
        text = f"{turn.text_of('triage_resume')} {text}"
    return BotMessage(text=text, response=f"ask_{item.name}", buttons=choices(turn, item))


def explained(turn: Turn, item: Item, sheet: AnswerSheet) -> BotMessage:
    """The whole question and how to answer it, for somebody who asks what is meant."""
    asked = question(turn, item, sheet, short=False)
    text = f"{asked.text} {item.help.in_language(turn.language)}"
    return BotMessage(text, asked.response, asked.buttons)


def choices(turn: Turn, item: Item) -> list[Button]:
    """The buttons of a question; the last one skips it."""
    skip = turn.house.texts.choices["skip"]
    labels = [(choice.label.in_language(turn.language), choice.value) for choice in item.choices]
    return [
        Button(label, ANSWER, {"item": item.name, "value": value})
        for label, value in (*labels, (str(getattr(skip, turn.language)), UNKNOWN))
    ]


def progress(turn: Turn, left: int) -> str:
    """How much is left, in a few words."""
    if left <= _NEARLY_DONE:
        return turn.text_of("triage_progress_end")
    return turn.text_of("triage_progress", count=str(left))


def is_time_for_progress(before: int, after: int) -> bool:
    """Whether to say how much is left: about every third answer.

    Args:
        before: number of answers before this message.
        after: number of answers now.
    """
    return after // _EVERY > before // _EVERY


def recap(turn: Turn, sheet: AnswerSheet) -> BotMessage:
    """What was understood, for the visitor to correct: a list, or one short SMS."""
    lines = {
        name: f"{item.topic.in_language(turn.language)}: {answer_in_words(turn, sheet, name)}"
        for name, item in turn.house.questionnaire.items.items()
        if name in sheet.given
    }
    if turn.channel == "sms":
        return turn.message("triage_recap", answers=_fitting(turn, sheet, lines))
    return turn.message("triage_recap", answers="\n".join(f"- {line}" for line in lines.values()))


def short_recap(turn: Turn, sheet: AnswerSheet) -> str:
    """The answers on one line, for somebody who comes back."""
    items = [name for name in turn.house.questionnaire.items if name in sheet.given]
    told = [name for name in items if name != "safety_now"][:_ENOUGH_TO_REMEMBER]
    return "; ".join(_brief(turn, sheet, name) for name in told)


def answer_in_words(turn: Turn, sheet: AnswerSheet, name: str) -> str:
    """One answer as its choice is labelled."""
    value = sheet.given[name]
    if value == UNKNOWN:
        return turn.text_of("word_open")
    if name == STATE:
        return load_states().states[value].name.in_language(turn.language)
    person = sheet.person(turn.language)
    if name == FOR_WHOM and person:
        return person
    label = turn.house.questionnaire.items[name].label_of(value, turn.language)
    return label or value


def which_to_change(turn: Turn, sheet: AnswerSheet) -> BotMessage:
    """Asks which answer to change; each one is a button."""
    items = turn.house.questionnaire.items
    return BotMessage(
        turn.text_of("triage_which"),
        "triage_which",
        [
            Button(item.topic.in_language(turn.language), "go_back", {"item": name})
            for name, item in items.items()
            if name in sheet.given
        ],
    )


def changed(turn: Turn, sheet: AnswerSheet, items: Sequence[str]) -> BotMessage:
    """Says what a correction changed; items without an answer are asked again."""
    if FOR_WHOM in items and FOR_WHOM in sheet.given:
        if sheet.given[FOR_WHOM] == "self":
            return turn.message("triage_changed_self")
        person = sheet.person(turn.language) or THIS_PERSON[turn.language]
        return turn.message("triage_changed_person", person=person)
    known = [name for name in items if name in sheet.given]
    if not known:
        return turn.message("triage_changed_open")
    answers = "; ".join(
        f"{turn.house.questionnaire.items[name].topic.in_language(turn.language)}: "
        f"{answer_in_words(turn, sheet, name)}"
        for name in known
    )
    return turn.message("triage_changed", answers=answers)


def result(turn: Turn, disposition: Disposition, sheet: AnswerSheet) -> list[BotMessage]:
    """What the visitor hears of the disposition: orientation, or a person."""
    messages = [_result_message(turn, disposition, sheet.given)]
    if sheet.given.get(FOR_WHOM) == "someone_else" and sheet.given.get("age_band") == "adult":
        person = sheet.person(turn.language) or THIS_PERSON[turn.language]
        messages.append(turn.message("result_for_other", person=person))
    return messages


def gate(turn: Turn, answers: dict[str, str]) -> Gate:
    """Whether a level may be shown in the visitor's state."""
    return level_may_be_shown(answers.get(STATE, UNKNOWN), turn.clinic.licensed_states)


def _result_message(turn: Turn, disposition: Disposition, answers: dict[str, str]) -> BotMessage:
    if answers.get("age_band") == "under_18":
        return turn.message("result_minor")
    allowed = gate(turn, answers).allowed
    if answers.get(STATE, UNKNOWN) != UNKNOWN and not allowed:
        return turn.message("result_gated")
    if disposition.visitor_level in (None, CONSULTATION) or not allowed:
        return turn.message("result_consultation")
    reasons = disposition.visitor_reasons(turn.language)
    return turn.message(
        "result_inpatient" if disposition.level == INPATIENT else "result_level",
        level_name=turn.text_of(f"level_{disposition.level}"),
        reasons="\n".join(f"- {reason}" for reason in reasons),
    )


def _brief(turn: Turn, sheet: AnswerSheet, name: str) -> str:
    """One answer in as few words as can be: "Daily life: Struggling"."""
    topic = turn.house.questionnaire.items[name].topic.in_language(turn.language)
    words = answer_in_words(turn, sheet, name)
    for mark in (":", ",", " ("):
        words = words.split(mark)[0]
    return words if name in (FOR_WHOM, STATE, "age_band") else f"{topic}: {words}"


def _fitting(turn: Turn, sheet: AnswerSheet, lines: dict[str, str]) -> str:
    """The answers that one SMS has room for; what is not well comes before what is."""
    well = [name for name in lines if ITEMS[name] and sheet.given[name] == ITEMS[name][0]]
    first = [name for name in lines if name in (FOR_WHOM, STATE, "age_band", "safety_now")]
    room = _RECAP_ON_SMS - len(turn.text_of("triage_recap", answers=""))
    taken: list[str] = []
    for name in (*first, *(n for n in lines if n not in well), *well):
        more = turn.text_of("word_and_more", count=str(len(lines)))
        text = "; ".join(_brief(turn, sheet, each) for each in (*taken, name))
        if name not in taken and len(text) + len(more) + 2 <= room:
            taken.append(name)
    shown = [_brief(turn, sheet, name) for name in lines if name in taken]
    if len(taken) < len(lines):
        shown.append(turn.text_of("word_and_more", count=str(len(lines) - len(taken))))
    return "; ".join(shown)
