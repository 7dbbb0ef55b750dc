"""What the commands of `handrail` do; `bot.cli` only reads their arguments."""
