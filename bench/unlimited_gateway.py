"""The gateway as `python -m bot.gateway` runs it, but a sender may ask as fast as it can.

One benchmark is one address; with the limits of `bot.gateway.limits` it would measure them.
"""

from __future__ import annotations

import sys

from bot.gateway import limits
from bot.gateway.__main__ import main

if __name__ == "__main__":
    for name in ("OPENINGS", "OF_CONVERSATION", "OF_ADDRESS", "READ_OF_ADDRESS", "READ_IN_ALL"):
        setattr(limits, name, "1000000/second")
    sys.exit(main())
