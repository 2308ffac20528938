"""A rule of thumb for what a trial takes, before anything was run: good to a factor of a few.

Whether an arm takes seconds, minutes or days shows from the size of its model, the length of the
texts and the machine. That is enough to choose arms, to put the cheap ones first, and not to
spend time on timing what surely fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from suite.contracts import cutting
from suite.contracts.model import Model
from suite.contracts.rowfacts import DataFacts
from suite.contracts.space import Dimension, Fixed, contains
from suite.machine import facts
from suite.models import needs
from suite.strategies.asking import priors

#: Useful operations a second: of a core in float32 (BERT-base trains 8 texts a second on two), and
#: of a GPU.
CORE_OPERATIONS, GPU_OPERATIONS = 5e10, 3e13
#: Operations of one parameter for one token: forwards, and forwards and backwards, of weights that
#: stay as they are without their own gradients.
FORWARD, TRAINING, TRAINING_LORA = 2.0, 6.0, 4.0
#: Of a model that is made on the spot, the share of parameters that are multiplied: the others are
#: word vectors, which are looked up.
MULTIPLIED = 0.4
#: Characters of a token: in alphabets, and where a character is a word.
LETTERS, IDEOGRAPHS = 4.0, 1.3
IDEOGRAPHIC = frozenset({"zh", "ja"})
#: Tokens of a question beside its text, and of each class that it names.
QUESTION_TOKENS, OPTION_TOKENS = 60.0, 8.0
#: Characters that a core reads and learns from in a second, passes over them counted.
BUILT_CHARACTERS = {"tfidf": 1e6, "fasttext": 5e5, "textcnn": 1e5}
#: Characters whose pieces a core looks up and adds in a second; and, where the vectors are trained,
#: learns from, with the passes that the suite makes of one.
STATIC_READ, STATIC_LEARNT = 2e6, 1.5e5
#: Seconds that a training loop spends on a row beside the operations, however small the model.
LOOP_SECONDS = {"linear_head": 0.001, "sft": 0.004}
#: Seconds that a logistic regression on embeddings takes for a row.
REGRESSION_SECONDS = 2e-4
#: Seconds that a child needs beside all of this, and those of making a small model ready.
CHILD_SECONDS, READY_SECONDS = 2.0, 3.0


@dataclass(frozen=True)
class Machine:
    """What of a machine decides how quick it is."""

    cores: float
    gpu: bool = False

    @classmethod
    def here(cls) -> Machine:
        """This machine."""
        return cls(facts.usable_cores(), facts.has_gpu())

    @property
    def operations(self) -> float:
        """Useful operations a second."""
        return GPU_OPERATIONS if self.gpu else CORE_OPERATIONS * self.cores


@dataclass(frozen=True)
class Texts:
    """What of the data decides how much there is to do; `characters` of a text on average, and
    `quantiles` of them from the shortest to the longest, where these are known."""

    train: int
    validation: int
    test: int
    characters: float
    language: str
    classes: int
    quantiles: tuple[int, ...] = ()

    @property
    def lengths(self) -> list[float]:
        """Tokens of texts, short to long, evenly over all of them; of the mean where no more is
        known."""
        letters = IDEOGRAPHS if self.language in IDEOGRAPHIC else LETTERS
        return [max(8.0, n / letters) for n in self.quantiles or (self.characters,)]

    @classmethod
    def of(cls, data: DataFacts, language: str, classes: int) -> Texts:
        """Those of a study's data."""
        rows = data.rows
        found = data.audit.splits.get("train") if data.audit is not None else None
        mean = 300.0 if found is None else found.length_mean
        quantiles = () if found is None else tuple(found.length_quantiles)
        return cls(rows.train, rows.validation, rows.answered, mean, language, classes, quantiles)


@dataclass(frozen=True)
class Thumb:
    """Seconds of a trial, and of scoring one text."""

    trial: float
    per_text: float


def reckon(
    strategy: str,
    model: Model,
    texts: Texts,
    machine: Machine,
    *,
    epochs: float,
    checkpoints: int,
    max_tokens: int,
    folds: int = 0,
    dimensions: Mapping[str, Dimension] = MappingProxyType({}),
) -> Thumb | None:
    """What a trial of an arm takes by rule of thumb; None of what there is no rule for.

    Args:
        max_tokens: at which texts are cut.
        folds: over which it is scored; 0: on validation alone.
        dimensions: of the arm's space, which may have several ways of cutting, tuning, calibrating.
    """
    trainings = max(1, folds)
    answered = texts.validation + (texts.train if folds else 0)
    if strategy == "classic":
        speed = BUILT_CHARACTERS.get(model.builder or "")
        if speed is None:
            return None
        per_text = texts.characters / (speed * machine.cores)
        passes = 1.0 if model.builder == "tfidf" else epochs
        work = per_text * (texts.train * passes * trainings + answered)
        return Thumb(CHILD_SECONDS + work, per_text)
    if model.family == "static":
        per_text = texts.characters / (STATIC_READ * machine.cores)
        work = per_text * (texts.train + answered)
        if strategy == "linear_head":
            work += texts.characters * texts.train * epochs * trainings / STATIC_LEARNT
        return Thumb(CHILD_SECONDS + work + REGRESSION_SECONDS * texts.train * trainings, per_text)
    size = needs.parameters(model)
    if size is None or model.endpoint is not None:
        return None
    if model.builder is not None:
        size *= MULTIPLIED
    letters = IDEOGRAPHS if texts.language in IDEOGRAPHIC else LETTERS
    tokens = min(float(max_tokens), max(8.0, texts.characters / letters))
    tokens *= cutting.times_read(dimensions, texts.lengths, max_tokens)
    prompt = tokens + QUESTION_TOKENS + OPTION_TOKENS * texts.classes
    learning = TRAINING_LORA if dimensions.get("tuning") == Fixed("lora") else TRAINING
    match strategy:
        case "linear_head":
            training, scoring, stops = learning * tokens * epochs, FORWARD * tokens, checkpoints
        case "probe":
            training, scoring, stops = FORWARD * tokens, FORWARD * tokens, 1
        case "sft":
            training, scoring, stops = learning * prompt * epochs, FORWARD * prompt, checkpoints
        case "zero_shot":
            training, scoring, stops = 0.0, FORWARD * prompt, 1
        case _:
            return None
    per_text = scoring * size / machine.operations
    learned = training * size * texts.train / machine.operations
    calibration = dimensions.get("calibration")
    if calibration is not None and contains(calibration, priors.BATCH):
        learned += per_text * min(priors.BATCH_TEXTS, texts.train)
    learned += LOOP_SECONDS.get(strategy, 0.0) * texts.train * epochs
    # Early checkpoints cost a tenth of their training at most (suite.child.evaluation).
    early = min(per_text * texts.validation * (stops - 1), 0.1 * learned)
    if strategy == "probe" and folds:
        # Every text is embedded once, and those of validation for the first fold again.
        again = 2 * per_text * texts.validation + REGRESSION_SECONDS * texts.train * folds
        return Thumb(CHILD_SECONDS + READY_SECONDS + learned + again, per_text)
    work = READY_SECONDS * trainings + learned * trainings + early + per_text * answered
    return Thumb(CHILD_SECONDS + work, per_text)
