"""What a message asks, where it says more than that: a story, two questions, an answer beside.

One embedding of seventy words is an average of everything in them, and the question at
the end drowns. So each sentence that asks is read by itself, and a sentence that joins
two questions ("can I keep working, and is medication included?") is read in its parts.
A message without either is read as a whole, as ever.

Pure: how a text is ranked comes in as a function. docs/understanding.md has the figures.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence

from bot.nlu.intent_model import Guess

Ranking = Sequence[Guess]
Rank = Callable[[Sequence[str]], list[list[Guess]]]

_SURE = 0.4  # a question less sure than that is not taken for one: as for a whole message
_PART_SURE = 0.6  # nor is half a sentence: it has lost its other half
_SHORTEST_PART = 3  # words; "iop and outpatient" are not two questions
_MOST_READ = 8  # questions; the last ones of a longer message count
# Of the whole message beside its only question; it falls with the message's length.
_MOST_WEIGHT = 1.5
_WORDS_OF_EQUAL_WEIGHT = 20

MEDICAL_ADVICE = "medical_advice"
# What refers to the talk itself is no question from a story: "what does that mean?" in it
# does not ask us to repeat anything.
_NOT_ASKED = frozenset(
    {"greet", "goodbye", "thank", "affirm", "deny", "unsure", "repeat", "go_back", "ask_why"}
    | {"pause", "restart", "crisis_cannot_call", "help_now", "out_of_scope"}
)
_ABBREVIATION = r"(?<!\b[A-Za-z])(?<!\b(?:[DMS]r|Ms|St|vs))(?<!\b(?:Mrs|Sra|Dra|etc))"
_SENTENCE_END = re.compile(rf"(?<=[!?\u2026])[\"')\]]*\s*|{_ABBREVIATION}\.+(?=\s|$)\s*|\n+")
_JOINT = re.compile(
    r"\s*[;:]\s+|\s*,\s+(?:(?:and|also|plus|y|e|tambi[e\u00e9]n|adem[a\u00e1]s)\s+)?"
    r"|\s+(?:and(?:\s+also)?|plus|y(?:\s+tambi[e\u00e9]n)?)\s+",
    re.IGNORECASE,
)
_QUESTION_OPENS = re.compile(
    r"(?:and |so |but |also |or |y |o |pero )?(?:\u00bf|(?:is|are|am|was|do|does|did|can|could|will"
    r"|would|should|may|have|has|what|whats|what's|how|when|where|which|who|why"
    r"|a qu[e\u00e9]|de qu[e\u00e9]|qu[e\u00e9]|c[o\u00f3]mo|cu[a\u00e1]ndo|cu[a\u00e1]nt[oa]s?"
    r"|d[o\u00f3]nde|cu[a\u00e1]l|qui[e\u00e9]n|por qu[e\u00e9]|puedo|puede|pueden|podr[i\u00ed]a"
    r"|hay|es|son|est[a\u00e1]n?|tienen?|aceptan|hablan|atienden|ofrecen|hacen|dan|se puede"
    r"|sirve|funciona|cuesta|tengo que)\b)",
    re.IGNORECASE,
)
_ASKED_INDIRECTLY = re.compile(
    r"\b(?:(?:want(?:ed)?|like|need|help|love|good) to (?:know|ask)|wonder(?:ing|ed)?|curious"
    r"|tell me|(?:quer[i\u00ed]a|quiero|quisiera|gustar[i\u00ed]a|necesito|puedo)"
    r" (?:saber|preguntar)"
    r"|d[i\u00ed]game|me pregunto)\b",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Understood:
    """What a message means.

    Attributes:
        ranking: all intents, most likely first, of what counts most in the message.
        asked: the best guess for each different thing that it asks, in its order; empty
            where no question stands out from the rest.
    """

    ranking: Ranking
    asked: Sequence[Guess]


def understand(text: str, rank: Rank) -> Understood:
    """Read a message as a whole and by its questions.

    Args:
        text: the message, not empty.
        rank: ranks the intents of several texts, most likely first; the first text that
            it gets is always the message.
    """
    sentences = sentences_of(text)
    alone = len(sentences) <= 1
    if alone:
        sentences = [text]
    else:
        sentences = [sentence for sentence in sentences if asks(sentence)][-_MOST_READ:]
    parts = [parts_of(sentence)[:_MOST_READ] for sentence in sentences]
    texts = list(dict.fromkeys([text, *sentences, *(part for some in parts for part in some)]))
    ranked = dict(zip(texts, rank(texts), strict=True))
    whole = ranked[text]
    questions: list[Ranking] = []
    for sentence, some in zip(sentences, parts, strict=True):
        read = ranked[sentence]
        joined = _different([ranked[part] for part in some], _PART_SURE)
        if len(joined) > 1 and (read[0].intent in _intents(joined) or not _is_sure(read)):
            questions += joined
        elif not alone:
            questions.append(read)
    questions = _different(questions, _SURE)
    # What asks about somebody's own medicine is never answered as anything else.
    if not questions or (whole[0].intent == MEDICAL_ADVICE and whole[0].confidence >= _SURE):
        return Understood(whole, [])
    if len(questions) == 1:
        ranking = _together(questions[0], whole, len(text.split()))
        return Understood(ranking, ranking[:1])
    # What somebody wants done comes before what they want to know.
    first = next((q for q in questions if not q[0].intent.startswith("faq_")), questions[0])
    return Understood(first, [question[0] for question in questions])


def sentences_of(text: str) -> list[str]:
    """The sentences of `text` that have a letter or digit; a line's end ends one too."""
    found = [part.strip() for part in _SENTENCE_END.split(text)]
    return [part for part in found if any(c.isalnum() for c in part)]


def asks(sentence: str) -> bool:
    """Whether a sentence asks something: by its mark, its first words, or "I'd like to know"."""
    return bool(
        "?" in sentence or _QUESTION_OPENS.match(sentence) or _ASKED_INDIRECTLY.search(sentence)
    )


def parts_of(sentence: str) -> list[str]:
    """The questions between commas, "and" and the like; empty if there are fewer than two."""
    first, *others = _JOINT.split(sentence)
    told = _ASKED_INDIRECTLY.search(first)
    # "I'd like to know the price and if you do detox": all of it is asked, but not
    # "Before I come I'd like to know".
    parts = [first] if not told or first[told.end() :].strip() else []
    parts = [p for p in (*parts, *others) if told or asks(p)]
    parts = [p for p in parts if len(p.split()) >= _SHORTEST_PART or _QUESTION_OPENS.match(p)]
    return parts if len(parts) > 1 else []


def _different(rankings: Sequence[Ranking], sure: float) -> list[Ranking]:
    """Those that ask something, with certainty, that none before them asks."""
    found: dict[str, Ranking] = {}
    for ranking in rankings:
        best = ranking[0]
        if best.confidence >= sure and best.intent not in _NOT_ASKED:
            found.setdefault(best.intent, ranking)
    return list(found.values())


def _intents(rankings: Sequence[Ranking]) -> set[str]:
    return {ranking[0].intent for ranking in rankings}


def _is_sure(ranking: Ranking) -> bool:
    return ranking[0].confidence >= _PART_SURE


def _together(question: Ranking, whole: Ranking, words: int) -> list[Guess]:
    """The question's ranking, with the message as a second vote: the weaker the longer it is."""
    weight = min(_MOST_WEIGHT, _WORDS_OF_EQUAL_WEIGHT / words)
    story = {guess.intent: guess.confidence for guess in whole}
    weights = {
        guess.intent: guess.confidence * math.pow(story[guess.intent], weight) for guess in question
    }
    total = sum(weights.values())
    guesses = [Guess(intent, weight / total) for intent, weight in weights.items()]
    return sorted(guesses, key=lambda guess: -guess.confidence)
