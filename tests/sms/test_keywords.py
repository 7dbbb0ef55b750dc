"""The keyword table: which texts are keywords, and which only look like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reviewed import DataError
from bot.sms.keywords import HELP, KEYWORDS, OPT_IN, OPT_OUT, load_keywords, plain

TABLE = [
    *((word, OPT_OUT) for word in ("STOP", "Stop", "stop", " stop ", "Stop.", "STOP!!", '"stop"')),
    *((word, OPT_OUT) for word in ("STOPALL", "Unsubscribe", "cancel", "END", "End.", "quit")),
    *((word, OPT_OUT) for word in ("REVOKE", "optout", "Opt out", "opt-out", "OPT OUT", "S T O P")),
    *((word, OPT_OUT) for word in ("Stop please", "STOP STOP STOP", "Parar, por favor")),
    *((word, OPT_OUT) for word in ("ALTO", "alto", "Parar", "¡PARAR!", "cancelar")),
    *((word, OPT_IN) for word in ("START", "start", "Unstop", "comenzar")),
    *((word, HELP) for word in ("HELP", "help?", "Info", "AYUDA", "ayuda!", "información")),
    # An answer to a question, a cry for help, a sentence.
    *((word, None) for word in ("yes", "YES", "1", "no", "help me", "I need help", "ayúdame")),
    *((word, None) for word in ("I want to end it", "end it all", "I can't stop crying", "")),
    *((word, None) for word in ("quiero parar de sufrir", "stop it hurts", "START OVER please")),
]
REVOKES = [
    "please stop texting me",
    "Stop texting me!!",
    "STOP MESSAGING ME",
    "don't text me again",
    "do not contact me",
    "no more texts please",
    "take me off your list",
    "please remove my number",
    "i want to opt out of this",
    "por favor dejen de mandarme mensajes",
    "no me escriban más",
]
DOES_NOT_REVOKE = [
    "my ex won't stop texting me",
    "he keeps texting me and I told him to stop texting me",
    "I want to stop drinking",
    "make it stop",
    "I can't stop thinking about it",
    "please call me instead",
    "mi ex no deja de escribirme",
    "can I cancel my appointment",
    "when does the program end",
]


@pytest.mark.parametrize(("text", "keyword"), TABLE)
def test_only_the_whole_text_is_a_keyword(text, keyword):
    assert load_keywords().exact(text) == keyword


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("i dont want texts from you people", True),
        ("wrong number", True),
        ("end my subscription", True),
        ("ya no me escriban", True),
        ("make it stop", False),
        ("stop please im scared", False),
        ("i need to cancel", False),
        ("leave me alone", False),
        ("he keeps sending me messages", False),
    ],
)
def test_what_is_to_stop_is_texts_or_something_else(text, texts):
    assert load_keywords().means_texts(text) == texts


@pytest.mark.parametrize(("text", "language"), [("Ayuda!", "es"), ("STOP", None), ("hola", None)])
def test_a_keyword_of_one_language_says_which(text, language):
    assert load_keywords().language(text) == language


@pytest.mark.parametrize("text", REVOKES)
def test_reasonable_wording_takes_consent_back(text):
    assert load_keywords().revokes(text)


@pytest.mark.parametrize("text", DOES_NOT_REVOKE)
def test_words_about_something_else_do_not(text):
    assert not load_keywords().revokes(text)


@given(st.text(max_size=40))
def test_plain_text_is_plain(text):
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("words: [start,", "words: [start, stop,"), "stands twice"),
        (("words: [start,", "words: [Start!,"), "must be written 'start'"),
        (("id: opt_in", "id: opt_im"), "opt_out, opt_in or help"),
        (("about_texts: [text,", "about_texts: [Text,"), "must be written 'text'"),
        (("phrases: [stop texting,", "phrases: [hush,"), "more than one"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path, change, words):
    path = tmp_path / "keywords.yml"
    path.write_text(KEYWORDS.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(DataError, match=rf"keywords\.yml:\d+: .*{words}"):
        load_keywords(path)
