"""Programs of others, from npm: what texting is checked against.

`npm ci` puts exactly what package-lock.json names into a folder of this test run. Where there is
no Node, these tests are skipped, and say so; in CI (the variable CI is set) they fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "node"
_COUNT = """
const {SegmentedMessage} = require('sms-segments-calculator');
let all = '';
process.stdin.on('data', d => all += d).on('end', () => {
  const counted = JSON.parse(all).map(t => new SegmentedMessage(t).segmentsCount);
  process.stdout.write(JSON.stringify(counted));
});
"""


def npm_folder(tmp: Path) -> Path:
    """A folder with the packages installed; skips the test where that cannot be done."""
    folder = tmp / "npm"
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder / name)
    if not (shutil.which("node") and shutil.which("npm")):
        _without("there is no node and npm here")
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        _without(f"npm ci failed: {done.stderr[-300:]}")
    return folder


def _without(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def npm(tmp_path_factory) -> Path:
    return npm_folder(tmp_path_factory.mktemp("oracles"))


@pytest.fixture(scope="session")
def twilio_counts(npm: Path) -> Callable[[list[str]], list[int]]:
    """How many segments Twilio's own calculator says that each text has."""

    def count(texts: list[str]) -> list[int]:
        done = subprocess.run(
            ["node", "-e", _COUNT],
            cwd=npm,
            input=json.dumps(texts),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return count
