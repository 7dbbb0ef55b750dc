"""The keys of the tests: new ones in every run, the same in all of its tests."""

from bot.store import Vault
from bot.store.keyring import new_keyring

VAULT = Vault(new_keyring())
