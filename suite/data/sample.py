"""The bundled sample: four kinds of news, generated, so that everything can be tried offline.

It is made so that arms differ as they do on real text. Most texts are told by their words; some
only by the order of their words ("not of football but of sanctions"), some only by a rare
compound whose parts are known, a few by nothing at all, and one label in twenty is wrong. So
counting words does well, counting pairs of words better, and nothing reaches 1.0.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

from suite import paths
from suite.config import yamlfile
from suite.contracts.language import LANGUAGES
from suite.contracts.strategy import Rows
from suite.contracts.task import Calibration, Closed, Data, Label, Prompt, Task, Validation
from suite.data.load import TaskData, describe
from suite.data.parts import set_aside
from suite.data.splits import Keyed, nested_order
from suite.errors import DataError

T = TypeVar("T")

ROWS = (2400, 600, 1200)

#: Of a hundred texts: told by order alone, by a compound alone, by nothing. The rest is plain.
TURNS, RARE, VAGUE = 0.14, 0.07, 0.04
#: Part of plain texts that are long: the news, fillers, and an aside from another class.
LONG = 0.25
#: Part of labels that are wrong.
NOISE = 0.05


class Topic(Closed):
    """One class: who, does what; what it is about; and the halves of its compound words."""

    name: str
    who: list[str]
    does: list[str]
    about: list[str]
    fronts: list[str]
    backs: list[str]


class Words(Closed):
    """A language's topics, and the sentences around them; the file says what each is for."""

    prompt: Prompt
    topics: list[Topic]
    places: list[str]
    times: list[str]
    plain: list[str]
    rare: list[str]
    turns: list[str]
    vague: list[str]
    fillers: list[str]
    asides: list[str]
    joiner: str


@cache
def words_of(language: str) -> Words:
    """What the sample is made of in a language: `sample_words/LANGUAGE.yaml`."""
    return yamlfile.load(paths.PACKAGE / "data" / "sample_words" / f"{language}.yaml", Words)


def generate(
    language: str, rows: tuple[int, int, int] = ROWS, seed: int = 0
) -> tuple[Rows, Rows, Rows]:
    """Train, validation and test of these sizes; no text stands twice.

    Classes are equally many before noise. The same arguments give the same rows everywhere.
    """
    words = words_of(language)
    writer = _Writer(words, random.Random(f"suite sample {language} {seed}"))
    seen: set[str] = set()
    made = []
    for size in rows:
        texts: list[str] = []
        labels: list[int] = []
        for number in range(size):
            label = number % len(words.topics)
            text = writer.text(label)
            while text in seen:
                text = writer.text(label)
            seen.add(text)
            texts.append(text)
            labels.append(writer.noisy(label))
        order = sorted(range(size), key=lambda _: writer.chance())
        made.append(Rows(tuple(texts), tuple(labels)).take(order))
    return made[0], made[1], made[2]


class _Writer:
    """Writes texts of a class. Uses `random()` alone, whose stream Python promises to keep."""

    def __init__(self, words: Words, source: random.Random) -> None:
        self.words = words
        self.chance: Callable[[], float] = source.random

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.chance() * len(options))]

    def other(self, label: int) -> int:
        """Another class."""
        step = 1 + int(self.chance() * (len(self.words.topics) - 1))
        return (label + step) % len(self.words.topics)

    def noisy(self, label: int) -> int:
        return self.other(label) if self.chance() < NOISE else label

    def text(self, label: int) -> str:
        words, topic = self.words, self.words.topics[label]
        draw = self.chance()
        if draw < TURNS:
            other = words.topics[self.other(label)]
            about, instead = self.pick(topic.about), self.pick(other.about)
            return self._fill(self.pick(words.turns), topic, a=about, b=instead)
        if draw < TURNS + RARE:
            compound = self.pick(topic.fronts) + self.pick(topic.backs)
            return self._fill(self.pick(words.rare), topic, c=compound)
        if draw < TURNS + RARE + VAGUE:
            return self._fill(self.pick(words.vague), topic)
        news = self._fill(self.pick(words.plain), topic)
        return self._long(news, label) if self.chance() < LONG else news

    def _long(self, news: str, label: int) -> str:
        """Two sentences of news, two to five fillers, and an aside from another class."""
        topic = self.words.topics[label]
        parts = [self._fill(self.pick(self.words.plain), topic)]
        for _ in range(2 + int(self.chance() * 4)):
            parts.append(self._fill(self.pick(self.words.fillers), topic))
        aside = self.words.topics[self.other(label)]
        parts.insert(
            int(self.chance() * (len(parts) + 1)), self._fill(self.pick(self.words.asides), aside)
        )
        return self.words.joiner.join([news, *parts])

    def _fill(self, sentence: str, topic: Topic, **slots: str) -> str:
        slots |= {
            "who": self.pick(topic.who),
            "does": self.pick(topic.does),
            "place": self.pick(self.words.places),
            "time": self.pick(self.words.times),
        }
        capital = {name.capitalize(): text[:1].upper() + text[1:] for name, text in slots.items()}
        return sentence.format(**slots, **capital)


def sample_data(
    language: str,
    *,
    seed: int = 0,
    train_rows: int | None = None,
    calibration: Calibration | None = None,
) -> TaskData:
    """The sample as a task's data, audited and fingerprinted like any other.

    Raises:
        DataError: more train rows are asked for than it has, or fewer than classes, or more are to
            be set aside for calibration than it can spare.
    """
    train, validation, test = generate(language, seed=seed)
    source, aside = f"bundled sample (generated, seed {seed})", None
    if calibration is not None:
        left, aside = set_aside(Keyed(train), calibration, seed=seed, source=source)
        train = left.rows
    train = train.take(nested_order(train, seed=seed))
    if train_rows is not None and not 4 <= train_rows <= len(train):
        raise DataError(
            f"--train-rows {train_rows:,}: the bundled sample has {len(train):,}",
            fix=f"Take 4 to {len(train):,}.",
        )
    return describe(
        train if train_rows is None else train.take(range(train_rows)),
        validation,
        test,
        [topic.name for topic in words_of(language).topics],
        source=source,
        train_rows_of=None if train_rows is None else len(train),
        sample=True,
        calibration=aside,
    )


def sample_task(task: Task) -> Task:
    """The task that stands in for this one, as `NAME-sample`: the sample's classes, in the
    same language where the sample is written in it, else in English.

    It has no references: a published number belongs to the real data.
    """
    language = task.language if task.language in LANGUAGES else "en"
    return Task(
        name=f"{task.name[:57]}-sample",
        title=f"{task.title} (bundled sample)",
        language=language,
        description="Generated news of four kinds, in place of data that could not be reached.",
        labels=[Label(name=topic.name) for topic in words_of(language).topics],
        data=Data(folder="bundled-sample", licence="generated by this project, Apache-2.0"),
        validation=Validation(share=0.2, seed=0),
        calibration=task.calibration,
        max_tokens=128,
        latency_bound_ms=task.latency_bound_ms,
        prompt={code: words_of(code).prompt for code in LANGUAGES},
    )
