"""What was typed is in no file of the database, and in no column of it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bot.store import writing
from bot.store.tables import metadata
from tests.dialogue.visitor import THANKSGIVING
from tests.store.filled import SENTENCE, request, talk

NAME = "Quillonbertha"
NUMBER = "617-229-8174"
WORDS = "the dog next door barks in four colours"


def readable(content: bytes, *words: str) -> list[str]:
    return [word for word in words if word.encode() in content]


def test_a_grep_of_the_files_after_a_real_conversation_finds_nothing(ask, assistant):
    visitor = ask(now=THANKSGIVING).says(WORDS).says("can someone call me").says(NAME).says(NUMBER)
    while visitor.state.open_question not in (None, "confirm"):
        visitor.says("not sure")
    visitor.says("yes").hears("callback_done")
    database = Path(assistant.engine.url.database)
    files = sorted(database.parent.glob(f"{database.name}*"))
    assert database in files
    content = b"".join(file.read_bytes() for file in files)
    assert visitor.conversation.encode() in content, "the conversation is in these files"
    digits = NUMBER.replace("-", "")
    assert readable(content, WORDS, NAME, NUMBER, digits, digits[3:], "colours") == []


def test_a_dump_of_every_table_shows_nothing(engine):
    talk(engine, "a", messages=3)
    request(engine, "a")
    with writing(engine) as db:
        dump = "".join(
            str(row)
            for table in metadata.sorted_tables
            for row in db.execute(sa.text(f"SELECT * FROM {table.name}"))
        )
    assert "greater_boston" in dump
    assert readable(dump.encode(), SENTENCE, "flood", "Zebedee", "6175550142", "5550142") == []
