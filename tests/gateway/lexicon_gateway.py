"""The real gateway as a process, with the safety screen's lexicon alone.

The classifier's weights come from training; these tests must not need a trained model.
"""

import sys

from bot.gateway.run import run
from bot.logs import configure_logs
from bot.safety.screen import load_screen
from bot.settings import Settings

configure_logs("gateway")
sys.exit(run(Settings.from_environment(), load_screen, lambda _: None))
