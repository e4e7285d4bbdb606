"""The names that a misspelt one may mean."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches

#: Words that mean the same, by how libraries write sizes of models.
_SAME = {"base": "b", "small": "s", "large": "l", "huge": "h", "giant": "g", "tiny": "t"}
#: The share of its words, weighed by how rare they are, that a name has in common with one that is near.
_SHARED = 0.4
_MOST = 5
#: The letters of a word that may be misspelt: shorter ones are like many others.
_LONG = 4


def near(name: str, known: Iterable[str]) -> list[str]:
    """The names that a misspelt one may mean, the nearest first: those that are spelt alike, cases and separators
    counting as one, then those with the same words."""
    spelt: dict[str, list[str]] = {}
    for full in dict.fromkeys(known):
        spelt.setdefault("-".join(_words(full)), []).append(full)
    words = _words(name[:100])
    plain = "-".join(words)
    alike = [plain] if plain in spelt else []
    alike += get_close_matches(plain, spelt, n=3, cutoff=0.75)
    found = dict.fromkeys([*alike, *_with_words(set(words), spelt)])
    return [full for key in found for full in spelt[key]][:_MOST]


def _with_words(words: set[str], spelt: Iterable[str]) -> list[str]:
    """The names that share the rarest words, the nearest first."""
    of_each = {plain: set(plain.split("-")) for plain in spelt}
    count = Counter(word for found in of_each.values() for word in found)
    weight = {word: math.log(1 + len(of_each) / times) for word, times in count.items()}
    wanted = words & count.keys()
    for word in words - wanted:
        if len(word) >= _LONG:
            wanted.update(get_close_matches(word, count, n=1, cutoff=0.8))

    def shared(found: set[str]) -> float:
        # A word that no name has says nothing.
        total = sum(weight[word] for word in wanted | found)
        return sum(weight[word] for word in wanted & found) / total

    near = {plain: shared(found) for plain, found in of_each.items() if wanted & found}
    ranked = sorted(near, key=lambda plain: -near[plain])[:3]
    return [plain for plain in ranked if near[plain] >= _SHARED or wanted <= of_each[plain]]


def _words(name: str) -> list[str]:
    """The words of a name in lower case, without those that most names have or leave out alike."""
    name = re.sub(r"patch(?=\d)|(?<=\d)px\b", "", name.lower().removeprefix("timm/"))
    return [_SAME.get(word, word) for word in re.split(r"[^a-z0-9]+", name) if word]
