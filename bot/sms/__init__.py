"""Texting as the law and people's habits want it: keywords, consent, quiet hours. Pure."""
