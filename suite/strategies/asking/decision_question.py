"""A task as the questions of a decision server: instructions, options, and what is said of each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suite.contracts.cutting import HEAD, PLAIN, Asks, Plain
from suite.contracts.cutting import NAME as CUTTING
from suite.contracts.decisions import Choice, Option, YesNo
from suite.contracts.hyperparameters import declared
from suite.contracts.language import language_of
from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.prompting import layout
from suite.strategies.asking.drawn import draw_examples
from suite.strategies.asking.served import prepare

ONE_CHOICE, YES_NO = "choice", "yes_no"

QUESTION, INSTRUCTION, BOTH = "question", "instruction", "both"

NO_WORDS, OF_TASK, OF_WORDS, OF_EXAMPLES = "none", "task", "words", "examples"
#: Of these the training rows tell.
DRAFTED = (OF_WORDS, OF_EXAMPLES)

#: Words of a class that describe it, and examples, each cut to so many tokens.
_WORDS, _EXAMPLES, _EXAMPLE_TOKENS = 8, 2, 32
#: Rows and words that are looked through.
_MOST_ROWS, _MOST_TERMS = 10_000, 100_000
#: The name of the question where there is one.
_ONE = "class"


@dataclass(frozen=True)
class Knobs(Asks):
    """What may be varied in asking a decision server."""

    form: str = declared(
        ONE_CHOICE,
        "one choice among all labels, or a question of yes or no for each",
        options=(ONE_CHOICE, YES_NO),
    )
    wording: str = declared(
        QUESTION,
        "what of the task's prompt instructs: its question, its instruction, or both",
        options=(QUESTION, INSTRUCTION, BOTH),
    )
    descriptions: str = declared(
        OF_TASK,
        "what is said of a label: nothing, what the task says, or what training rows say, in words "
        "that mark the class or by examples",
        options=(NO_WORDS, OF_TASK, *DRAFTED),
    )
    order: str = declared(
        "given",
        "of the options, the same for all texts",
        options=("given", "reversed", "shuffled"),
    )
    none_of_these: bool = declared(
        False, "whether a choice also offers none of them; what goes there goes to no label"
    )
    cutting: str = declared(HEAD, Plain.hyperparameters()[CUTTING].about, options=PLAIN)


@dataclass(frozen=True)
class Asked:
    """The questions of a task, whatever the text.

    Args:
        form: `ONE_CHOICE` or `YES_NO`.
        instructions: of the choice; of each label, by class index, for yes or no.
        labels: by class index.
        order: class indices as they are listed.
        none: the name of the option that is no label, if one is offered.
    """

    form: str
    instructions: tuple[str, ...]
    labels: tuple[Option, ...]
    order: tuple[int, ...]
    none: str | None = None

    def choice(self, classes: Sequence[int], name: str = _ONE) -> Choice:
        """The choice among these classes."""
        options = [self.labels[index] for index in classes]
        if self.none is not None:
            options.append(Option(self.none))
        return Choice(name, self.instructions[0], tuple(options))

    def yes_no(self) -> tuple[YesNo, ...]:
        """A question for each label, as they are listed."""
        listed = [(index, self.instructions[index], self.labels[index]) for index in self.order]
        return tuple(
            YesNo(f"{_ONE}{index}", asked, label.about, label.label or label.name)
            for index, asked, label in listed
        )


def of_task(task: Task, knobs: Knobs, train: Rows, seed: int) -> Asked:
    """The questions of a task.

    Args:
        train: what descriptions are drafted from.
        seed: of the rows drawn for examples.
    """
    prompt = layout.prompt_of(task)
    asked = {
        QUESTION: prompt.question,
        INSTRUCTION: prompt.instruction,
        BOTH: f"{prompt.instruction}\n{prompt.question}",
    }[knobs.wording]
    language = language_of(task.language)
    shown = [label.shown for label in task.labels]
    # An option is known by its name: two that are shown alike go by those they have in the rows.
    names = shown if len(set(shown)) == len(shown) else task.label_names
    about = descriptions(task, knobs.descriptions, train, seed)
    labels = tuple(
        Option(name, said, None if label == name else label)
        for name, said, label in zip(names, about, task.label_names, strict=True)
    )
    none = None
    known = {*names, *task.label_names}
    if knobs.form == ONE_CHOICE and knobs.none_of_these and language.none not in known:
        none = language.none
    instructions: tuple[str, ...] = (asked,)
    if knobs.form == YES_NO:
        instructions = tuple(f"{asked}\n{language.statement.format(label=name)}" for name in names)
    return Asked(knobs.form, instructions, labels, tuple(layout.positions(task, knobs.order)), none)


def descriptions(task: Task, way: str, train: Rows, seed: int) -> list[str | None]:
    """What is said of each label, by class index; None where nothing is."""
    if way == OF_TASK:
        return [label.description for label in task.labels]
    if way == OF_WORDS:
        return [", ".join(words) or None for words in marking(train, task)]
    found: list[list[str]] = [[] for _ in task.labels]
    if way == OF_EXAMPLES:
        limit = _EXAMPLE_TOKENS * language_of(task.language).characters_per_token
        for text, label in draw_examples(train, len(task.labels), _EXAMPLES, seed):
            found[label].append(" ".join(prepare(text, limit).text.split()))
    heading = language_of(task.language).examples_heading
    return [f"{heading} {' | '.join(texts)}" if texts else None for texts in found]


def marking(train: Rows, task: Task) -> list[list[str]]:
    """The words that mark each class in training rows, the strongest first.

    A word's weight is what one text of the class tells by it on average: how many of them have it,
    times the log of how much more often that is than in the other classes.
    """
    from suite.strategies.classic import ngram_counts
    from suite.strategies.classic.knobs import View
    from suite.strategies.classic.tfidf import make_vectorizer

    classes, spaced = len(task.labels), language_of(task.language).spaced
    rows = train
    if len(train) > _MOST_ROWS:
        rows = train.take(sorted(random.Random(0).sample(range(len(train)), _MOST_ROWS)))
    # Where a script has no spaces, a character alone says too little.
    length = 1 if spaced else 2
    counted = ngram_counts.count(
        list(rows.texts),
        make_vectorizer(View("script", length, length), sublinear=True),
        min_df=2,
        most=_MOST_TERMS,
    )
    if not counted.terms:
        return [[] for _ in task.labels]
    labels = np.asarray(rows.labels)
    has = counted.counts.copy()
    has.data[:] = 1.0
    texts = np.bincount(labels, minlength=classes).astype(np.float64)[:, None]
    inside = np.stack([np.asarray(has[labels == c].sum(axis=0)).ravel() for c in range(classes)])
    share = (inside + 0.5) / (texts + 1.0)
    others = (inside.sum(axis=0) - inside + 0.5) / (texts.sum() - texts + 1.0)
    weights = share * np.log(share / others)
    # Marks and numbers say nothing by themselves.
    spoken = np.array([term.replace(" ", "").isalpha() for term in counted.terms])
    weights[:, ~spoken] = 0.0
    found = []
    for row in weights:
        best = [int(place) for place in np.argsort(-row, kind="stable")[:_WORDS] if row[place] > 0]
        terms = [counted.terms[place] for place in best]
        found.append(terms if spaced else [term.replace(" ", "") for term in terms])
    return found
