"""The terms of a page, explained where they first stand and once more in the glossary at its end.

A reader should not need to know what an arm or a p90 is. The first occurrence of each term in the
page's prose becomes a link to its entry, with the explanation shown when it is pointed at or
reached by the keyboard; a column's heading carries its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from suite.report.words import Words

#: In the order of the glossary. `term_<key>` has the forms in which a term occurs, with bars
#: between them, the first of them its name; `gloss_<key>` says what it means.
TERMS = (
    "arm", "macro_f1", "accuracy", "interval", "p", "chance", "test", "validation", "finals",
    "trial", "seed", "claim", "pruned", "rank", "degrees", "offline_rps", "p50", "p90",
    "peak_memory", "parameters",
)  # fmt: skip


@dataclass
class Terms:
    """The terms of one page in one language; those that were explained already are `seen`."""

    words: Words
    seen: set[str] = field(default_factory=set)

    def name(self, key: str) -> str:
        """What the glossary calls a term."""
        return self.words(f"term_{key}").split("|")[0]

    def gloss(self, key: str) -> str:
        """What it means."""
        return self.words(f"gloss_{key}")

    def explained(self, text: str) -> Markup:
        """Text as HTML, with the first occurrence of each term that was not seen yet linked."""
        found: list[tuple[int, int, str]] = []
        for key in TERMS:
            if key in self.seen:
                continue
            place = self._pattern(key).search(text)
            if place and not any(place.start() < end and place.end() > at for at, end, _ in found):
                found.append((place.start(), place.end(), key))
                self.seen.add(key)
        said, after = Markup(), 0
        for start, end, key in sorted(found):
            said += escape(text[after:start]) + self._link(key, text[start:end])
            after = end
        return said + escape(text[after:])

    def _link(self, key: str, text: str) -> Markup:
        return Markup(
            '<a class="term" href="#term-{0}" aria-describedby="term-{0}" data-tip="{1}">{2}</a>'
        ).format(key, self.gloss(key), text)

    def _pattern(self, key: str) -> re.Pattern[str]:
        # A form of Latin letters is a word of its own, and no part of a name such as `arm/probe`.
        forms = (
            rf"(?<![\w/.-]){re.escape(form)}(?![\w/-])" if form.isascii() else re.escape(form)
            for form in self.words(f"term_{key}").split("|")
        )
        return re.compile("|".join(forms))
