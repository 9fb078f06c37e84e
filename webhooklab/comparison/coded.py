"""Columns that say few different things, as numbers: each word is looked at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import Array


@dataclass(frozen=True)
class Coded:
    """Per row the position of its text among the distinct `words`; -1 where there is none."""

    numbers: Array
    words: pd.Series

    @property
    def is_one_word(self) -> bool:
        """Whether all rows say the same."""
        return len(self.words) == 1 and bool((self.numbers == 0).all())

    def which(self, fits: Callable[[str], bool]) -> Array:
        """The rows whose word fits; one without a word does not."""
        fitting = [bool(fits(word)) for word in self.words]
        if self.is_one_word:
            return np.full(len(self.numbers), fitting[0])
        return np.array([*fitting, False])[self.numbers]

    def take(self, at: Array) -> Coded:
        """Some rows; -1 has no word."""
        if not len(self.numbers):
            return Coded(np.full(len(at), -1), self.words)
        return Coded(np.where(at >= 0, self.numbers[at], -1), self.words)

    def texts(self) -> pd.Series:
        """The column itself, as `str`."""
        if not len(self.words):
            return pd.Series([pd.NA] * len(self.numbers), dtype="str")
        return pd.Series(self.words.array.take(self.numbers, allow_fill=True))


def coded(series: pd.Series) -> Coded:
    """Number the words of a column, in the order of their first rows."""
    if _is_one_word(series):
        return Coded(np.zeros(len(series), "i8"), series.iloc[:1])
    numbers, words = pd.factorize(series)
    return Coded(numbers.astype("i8", copy=False), pd.Series(words))


def _is_one_word(series: pd.Series) -> bool:
    """The usual case, seen at once."""
    if not len(series) or not isinstance(first := series.iloc[0], str):
        return False
    last = series.iloc[-1]
    return last is not pd.NA and bool(last == first) and bool((series == first).all())


def in_same_words(one: Coded, other: Coded) -> tuple[Coded, Coded]:
    """Two columns numbered alike: equal words have equal numbers."""
    both = coded(pd.concat([one.words, other.words], ignore_index=True))
    own, others = np.split(both.numbers, [len(one.words)])
    return (
        Coded(_renumbered(one.numbers, own), both.words),
        Coded(_renumbered(other.numbers, others), both.words),
    )


def _renumbered(numbers: Array, by: Array) -> Array:
    if np.array_equal(by, np.arange(len(by))):
        return numbers
    return np.append(by, -1)[numbers]
