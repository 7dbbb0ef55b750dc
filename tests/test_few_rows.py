"""A few rows are multiplied as many are."""

from __future__ import annotations

import numpy as np
import pytest

from bot.few_rows import times


@pytest.mark.parametrize("rows", [1, 2, 4, 5, 40])
def test_the_product_is_the_same_however_many_rows(rows):
    chance = np.random.default_rng(0)
    left, right = chance.random((rows, 30)), chance.random((30, 7))
    assert np.allclose(times(left, right), left @ right)
    assert times(left, right).shape == (rows, 7)
