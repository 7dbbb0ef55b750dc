"""What tests of whole conversations look up in the store."""

from __future__ import annotations

import pytest

from bot.store import reading
from bot.store.handoffs import Handoffs


@pytest.fixture
def record(assistant):
    """The record that staff find for a visitor's conversation."""

    def find(visitor):
        with reading(assistant.engine) as connection:
            return Handoffs(connection).find(visitor.conversation)

    return find
