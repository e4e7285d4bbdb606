"""Entries of folders and archives that are no image: counted by reason, with some examples."""

from __future__ import annotations

from collections import Counter

from clipprep.cli.names import shown

_EXAMPLES = 3
#: Reasons in a report; the suffixes of a hostile archive have no end.
_REASONS = 20


class LeftOut:
    """Counts by reason."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}

    def add(self, reason: str, name: str) -> None:
        """One more."""
        if reason not in self.counts and len(self.counts) >= _REASONS:
            reason = "other"
        self.counts[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(name)

    def lines(self) -> list[str]:
        """A line for each reason, the most frequent first."""
        return [
            f"left out: {count:,} {shown(reason)}: {', '.join(map(shown, self.examples[reason]))}"
            + (", ..." if count > len(self.examples[reason]) else "")
            for reason, count in self.counts.most_common()
        ]

    def as_json(self) -> dict[str, object]:
        """`left_out`: counts and examples by reason; nothing where nothing was left out."""
        if not self.counts:
            return {}
        found = {
            reason: {"count": count, "examples": self.examples[reason]}
            for reason, count in self.counts.most_common()
        }
        return {"left_out": found}
