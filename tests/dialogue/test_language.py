"""English and Spanish: detected, kept over short words, switched by asking, remembered."""

import pytest

from bot.vocabulary import LANGUAGES


def test_one_english_sentence_in_a_spanish_conversation(ask):
    visitor = ask("greater_boston").says("hola, ¿cuánto cuesta el programa?").is_at(language="es")
    visitor.says("can my wife come to the sessions with me?").hears("faq_family_involvement")
    visitor.is_at(language="en").says("¿y dónde están?").is_at(language="es")
    visitor.hears("faq_location_contact", "Nuestros programas")


@pytest.mark.parametrize("word", ["si", "ok", "no", "iop", "hospital", "Boston", "sí", "hola"])
def test_a_short_word_never_flips_the_language(ask, word):
    english = ask("greater_boston").says("can i work while i do the program?").says(word)
    english.is_at(language="en")
    spanish = ask("greater_boston").says("¿puedo trabajar mientras hago el programa?").says(word)
    spanish.is_at(language="es")


def test_a_switch_is_remembered(ask):
    visitor = ask("greater_boston").says("can we speak spanish please").hears("switch_language")
    visitor.is_at(language="es")
    for word in ("ok", "IOP?", "no"):
        visitor.says(word).is_at(language="es")
    visitor.says("in english please").is_at(language="en").says("ok").is_at(language="en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_flips_nothing(ask, language):
    wish = {"en": "please call me back", "es": "quiero que me llamen por favor"}[language]
    visitor = ask("greater_boston").says(wish).is_asked("name").is_at(language=language)
    visitor.says("Juan Carlos de la Cruz Rodríguez").is_at(language=language).is_asked("phone")


def test_a_link_or_another_script_flips_nothing(ask):
    visitor = ask("greater_boston").says("¿puedo trabajar mientras hago el programa?")
    visitor.says("https://www.example.com/the/best/place/for/you").is_at(language="es")
    visitor.hears("only_link", "enlaces").says("我想找人谈谈").is_at(language="es")


def test_both_languages_in_one_message_are_answered_in_one(ask):
    visitor = ask("greater_boston").says("hola, do you take teens? mi hijo tiene 15 años")
    assert visitor.state.language in LANGUAGES
    assert visitor.text
