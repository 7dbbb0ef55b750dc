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
from collections.abc import Callable, Mapping, Sequence

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
_WISHES = frozenset({"ask_for_person", "request_callback"})
_WISH_SURE = 0.8  # a wish need not be a question: "please call me back. do you take Aetna?"
_FEW_PIECES = 4  # a story tells too much to look for wishes in it
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
    r"|hay|es(?! (?:para )?(?:m[i\u00ed]|[e\u00e9]l|ella|otra|nuestr[oa])\b)"
    r"|son|est[a\u00e1]n?|tienen?|aceptan|hablan|atienden|ofrecen|hacen|dan|se puede"
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
class Piece:
    """A sentence of a message, or a part of one that asks; `sentence` is the whole of it."""

    text: str
    sentence: str
    asks: bool


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
    pieces = pieces_of(text)
    asking = [piece for piece in pieces if piece.asks][-_MOST_READ:]
    told = [piece for piece in pieces if not piece.asks] if len(pieces) <= _FEW_PIECES else []
    if len(pieces) < 2 or not asking:
        [whole] = rank([text])
        return Understood(whole, [])
    texts = list(
        dict.fromkeys([text, *(p.sentence for p in asking), *(p.text for p in (*asking, *told))])
    )
    ranked = dict(zip(texts, rank(texts), strict=True))
    whole = ranked[text]
    wishes = [ranked[piece.text] for piece in told if _is_wish(ranked[piece.text])]
    questions = _different([*wishes, *_questions(asking, ranked)])
    # What asks about somebody's own medicine is never answered as anything else; a person can.
    medical = whole[0].intent == MEDICAL_ADVICE and whole[0].confidence >= _SURE
    if not questions or (medical and not any(map(_is_wish, questions))):
        return Understood(whole, [])
    if len(questions) == 1 and not wishes:
        ranking = _together(questions[0], whole, len(text.split()))
        return Understood(ranking, ranking[:1])
    # What somebody wants done comes before what they want to know.
    first = next((q for q in questions if not q[0].intent.startswith("faq_")), questions[0])
    return Understood(first, [question[0] for question in questions])


def told_beside(text: str) -> str:
    """What a message says beside its questions: "Anna" of "Anna, is this private?"."""
    return ", ".join(piece.text for piece in pieces_of(text) if not piece.asks)


def pieces_of(text: str) -> list[Piece]:
    """The sentences of `text`, those that ask in their parts, in order."""
    pieces = []
    for sentence in sentences_of(text):
        parts = parts_of(sentence) if asks(sentence) else [(sentence, False)]
        pieces += [Piece(part, sentence, asking) for part, asking in parts]
    return pieces


def sentences_of(text: str) -> list[str]:
    """The sentences of `text` that have a letter or digit; a line's end ends one too."""
    found = [part.strip() for part in _SENTENCE_END.split(text)]
    return [part for part in found if any(c.isalnum() for c in part)]


def asks(sentence: str) -> bool:
    """Whether a sentence asks something: by its mark, its first words, or "I'd like to know"."""
    return bool(
        "?" in sentence or _QUESTION_OPENS.match(sentence) or _ASKED_INDIRECTLY.search(sentence)
    )


def parts_of(sentence: str) -> list[tuple[str, bool]]:
    """The parts of a sentence that asks, between commas, "and" and the like.

    Returns:
        (part, whether it asks); the sentence itself where no part of it can stand alone.
    """
    first, *others = _JOINT.split(sentence)
    told = _ASKED_INDIRECTLY.search(first)
    # "I'd like to know the price and if you do detox": all of it is asked. "Before I come
    # I'd like to know" asks nothing yet.
    opens = bool(told and first[told.end() :].strip()) or bool(_QUESTION_OPENS.match(first))
    parts = [(first, opens)] + [(other, bool(told) or asks(other)) for other in others]
    stand = [part for part, asking in parts if asking and _stands_alone(part)]
    if len(stand) == sum(asking for _, asking in parts) and stand:
        return parts
    return [(sentence, True)]


def _stands_alone(part: str) -> bool:
    return len(part.split()) >= _SHORTEST_PART or bool(_QUESTION_OPENS.match(part))


def _questions(asking: Sequence[Piece], ranked: Mapping[str, Ranking]) -> list[Ranking]:
    """The rankings of what is asked: of each part if they ask different things with
    certainty and the sentence does not ask a third one, else of the sentence."""
    questions: list[Ranking] = []
    for sentence in dict.fromkeys(piece.sentence for piece in asking):
        read = ranked[sentence]
        parts = [ranked[piece.text] for piece in asking if piece.sentence == sentence]
        sure = [part for part in parts if part[0].confidence >= _PART_SURE]
        intents = {part[0].intent for part in sure}
        different = len(intents) > 1 and (
            read[0].intent in intents or read[0].confidence < _PART_SURE
        )
        questions += sure if different or (sure and len(parts) == 1) else [read]
    return questions


def _different(rankings: Sequence[Ranking]) -> list[Ranking]:
    """Those that ask something, with certainty, that none before them asks."""
    found: dict[str, Ranking] = {}
    for ranking in rankings:
        best = ranking[0]
        # Every story of a need is a little like a wish to find what fits.
        sure = _WISH_SURE if best.intent == "start_triage" else _SURE
        if best.confidence >= sure and best.intent not in _NOT_ASKED:
            found.setdefault(best.intent, ranking)
    return list(found.values())


def _is_wish(ranking: Ranking) -> bool:
    return ranking[0].intent in _WISHES and ranking[0].confidence >= _WISH_SURE


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
