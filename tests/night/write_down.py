"""Writes docs/a-night.md from a real run of the night; `tools/a-night` calls it."""

from __future__ import annotations

import itertools
import logging
import sys
import tempfile
from pathlib import Path

from bot.logs import configure_logs
from bot.nlu import without_tensorflow
from bot.settings import ROOT, Settings

PAGE = ROOT / "docs" / "a-night.md"
INTRODUCTION = """# A night

This was written down by a real run ([test_a_night.py](../tests/night/test_a_night.py); again by
`tools/a-night`): trained assistant, database, worker, a mail server and the console in one process;
only the clock is set. The people are made up. The line opens at 8:30 AM; the clinic tells
`intake@` of requests and `lead@` of urgent ones that nobody takes.
"""
PICTURES = """
![The queue](img/console-queue.png)

![A record](img/console-card.png)

Pictures of the console with other made-up visitors.
"""


def main() -> None:
    """Run the night and write the page."""
    without_tensorflow.install()
    configure_logs("night", level=logging.ERROR)
    from tests.night.house import NightHouse
    from tests.night.test_a_night import EVENING, morning, night
    from tests.worker.conftest import MailHouse

    mail = MailHouse()
    with tempfile.TemporaryDirectory() as folder:
        house = NightHouse(Settings.from_environment({}), Path(folder), EVENING, mail)
        try:
            codes = night(house)
            morning(house, *codes)
        finally:
            house.close()
            mail.stop()
    PAGE.write_text(page_of(house), encoding="utf-8")
    print(f"{PAGE}: {len(house.told)} lines, {len(mail.came)} e-mails", file=sys.stderr)


def page_of(house) -> str:
    """The page; plain questions of the form are left out, and e-mails that repeat others."""
    parts, seen = [INTRODUCTION], set()
    for form, lines in itertools.groupby(house.told, key=lambda line: line.form):
        if form:
            parts.append("\n> *(the questions of the callback form, and the answers)*\n")
            continue
        for line in lines:
            at = line.at.strftime("%-I:%M %p")
            said = line.said.replace("\n", "  \n> ").replace("  \n>   \n", "\n>\n")
            if not line.who:
                parts.append(f"\n## {at}: {line.said}\n")
            elif not line.who.startswith("E-mail"):
                parts.append(f"\n> **{line.who}** ({at}): {said}\n")
            elif (line.who, said) not in seen:
                seen.add((line.who, said))
                parts.append(f"\n*{at}. {line.who}: {said}*\n")
    ending = (
        f"\n{len(house.mail.came)} e-mails went out in all. Those that say once more that nobody\n"
        "has taken a request come once an hour until somebody does, and stand here once.\n"
    )
    return "".join([*parts, ending, PICTURES])


if __name__ == "__main__":
    main()
