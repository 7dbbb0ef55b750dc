"""The places a visitor may live in: US states, the District and the territories.

Two-letter codes as the US Postal Service uses them (Publication 28, appendix B).
`states.yml` has the names in both languages and other words for a state.
"""

from __future__ import annotations

import functools
from pathlib import Path

from bot.reviewed import Bilingual, Document, ReviewedModel

STATES_FILE = Path(__file__).with_name("states.yml")


class Place(ReviewedModel):
    """One state.

    Attributes:
        name: as visitors read it.
        also: other words that mean it, such as a city that stands for no other state.
    """

    name: Bilingual
    also: tuple[str, ...] = ()


class States(ReviewedModel):
    """The whole of `states.yml`.

    Attributes:
        states: two-letter code to place.
        not_states: places whose name holds a state's name but lies elsewhere or
            in two states; they answer nothing.
    """

    states: dict[str, Place]
    not_states: list[str]


@functools.cache
def load_states() -> States:
    """The states; raises `DataError` with file and line."""
    return Document(STATES_FILE).parse(States)


STATE_CODES: tuple[str, ...] = tuple(sorted(load_states().states))
