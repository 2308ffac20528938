"""The schema of a task file: one labelled text-classification problem as one closed YAML.

    # yaml-language-server: $schema=../suite/config/schemas/task.schema.json
    name: agnews
    title: AG News
    language: en
    labels:
      - name: World
      - name: Sci/Tech
        display: Science/Technology
    data:
      hub: {id: fancyzhx/ag_news, revision: <40 hex digits>, revision_from: where it was found}
      text: [text]
      label: label
      licence: research only

Class index = position in `labels`, everywhere in the suite.
"""

from __future__ import annotations

import codecs
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from suite.contracts.language import LanguageCode, language_of
from suite.contracts.limits import MOST_SEED
from suite.errors import counted

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
REVISION = re.compile(r"[0-9a-f]{40}")

Share = Annotated[float, Field(gt=0, lt=1)]
Text = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(ge=0, le=MOST_SEED)]


class Closed(BaseModel):
    """A YAML object that refuses keys it does not know."""

    # Infinity and NaN have no place in JSON, so none in what results are made from.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Label(Closed):
    """One class."""

    name: Text = Field(description="The class, as results and reports name it.")
    display: Text | None = Field(
        None, description="How a prompt words it; all else names the class by its `name`."
    )
    description: Text | None = Field(
        None, description="What belongs to it, in a few words; decision servers are told."
    )
    values: list[str | int] = Field(
        default_factory=list,
        description="Other spellings of this class in the data: codes, ids that are not positions.",
    )
    aliases: list[Text] = Field(
        default_factory=list, description="Other words by which a model may name this class."
    )

    @field_validator("name", "display", mode="before")
    @classmethod
    def _no_bare_booleans(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("YAML reads yes, no, on and off as true or false: quote the label")
        return str(value) if isinstance(value, int | float) else value

    @property
    def shown(self) -> str:
        """What a model is asked."""
        return self.display or self.name


class HubSource(Closed):
    """A data set on the Hugging Face Hub."""

    id: Text = Field(description="owner/name")
    config: str | None = Field(None, description="The configuration, where the set has several.")
    revision: str = Field("main", description="A commit (40 hex digits); 'main' is unpinned.")
    revision_from: str | None = Field(None, description="Where the revision was found.")
    files: dict[Literal["train", "validation", "test"], str] | None = Field(
        None, description="Files inside the repository, where the set names no splits of its own."
    )

    @field_validator("id")
    @classmethod
    def _owner_and_name(cls, value: str) -> str:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", value):
            raise ValueError(f"a Hub id is owner/name, not {value!r}")
        return value

    @field_validator("revision")
    @classmethod
    def _commit(cls, value: str) -> str:
        if value != "main" and not REVISION.fullmatch(value):
            raise ValueError(f"a revision is a commit of 40 hex digits, or 'main', not {value!r}")
        return value

    @property
    def pinned(self) -> bool:
        """Whether the revision can not move."""
        return self.revision != "main"


class Files(Closed):
    """Local files of rows, relative to the task file."""

    train: Text
    validation: Text | None = None
    test: Text | None = Field(None, description="May be left away where data.test carves one.")


class SplitNames(Closed):
    """What the source calls its splits."""

    train: Text = "train"
    validation: Text | None = None
    test: Text = "test"


class TestCarving(Closed):
    """How test is carved out of the rows, where the source gives none. Validation is carved by
    the same rule."""

    share: Share | None = Field(
        None, description="Part of the rows; where none is said, a fifth, and at most 10,000 rows."
    )
    seed: Seed = Field(0, description="The seed of the split.")
    group: Text | None = Field(
        None, description="A column; rows with the same value in it stay on one side."
    )
    time: Text | None = Field(None, description="A column; the newest rows by it are the test.")
    fold: int | None = Field(
        None,
        ge=1,
        description="Of 1/share equal folds, which together hold every row, the one that is the "
        "test.",
    )

    @model_validator(mode="after")
    def _one_of_the_folds(self) -> TestCarving:
        if self.fold is None:
            return self
        if self.share is None or self.time is not None:
            raise ValueError("a fold needs a share, and no time")
        if self.fold > round(1 / self.share):
            raise ValueError(
                f"a share of {self.share:g} makes {counted(round(1 / self.share), 'fold')}"
            )
        return self


class Reading(Closed):
    """How files of rows are read. What is not said here is found in the files."""

    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="What stands between the fields of a CSV."
    )
    encoding: Text | None = Field(None, description="Of text files, for example gb18030.")
    skip_bad_rows: bool = Field(
        False,
        description="Rows with more or fewer fields than the header, and lines that are no JSON, "
        "are left out, counted.",
    )
    case: Literal["merge", "keep"] | None = Field(
        None,
        description="Labels that differ by case, or by letters that look alike, alone: one class, "
        "or several.",
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            found = codecs.lookup(value)
        except (LookupError, ValueError):
            raise ValueError(f"{value!r} is no encoding; for example utf-8 or gb18030") from None
        # Codecs such as base64 or rot13 make no text of bytes; others are of names and literals.
        of_no_file = {"punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape"}
        if found.name in of_no_file or not getattr(found, "_is_text_encoding", True):
            raise ValueError(f"{value!r} is no encoding of texts; for example utf-8 or gb18030")
        return found.name

    @field_validator("delimiter")
    @classmethod
    def _no_end_of_line(cls, value: str | None) -> str | None:
        if value is not None and value in '\r\n"\0':
            raise ValueError("a line's end, a quotation mark or a NUL separates no fields")
        return value


class Data(Closed):
    """Where the rows come from, and which columns matter. One of hub, files, folder and file."""

    hub: HubSource | None = None
    files: Files | None = None
    folder: Text | None = Field(None, description="A folder with train/validation|dev/test files.")
    file: Text | None = Field(
        None, description="One table, relative to the task file; its splits are carved by `test`."
    )
    text: list[Text] = Field(
        default_factory=lambda: ["text"], min_length=1, description="Columns joined into one text."
    )
    join: str = Field(" ", description="What stands between joined columns.")
    label: Text = Field("label", description="The column of the class, by id or by name.")
    id: Text | None = Field(None, description="A column that is kept beside the texts in outputs.")
    test: TestCarving | None = Field(
        None, description="Carves test from the rows; a test of the source is then not read."
    )
    parted: Literal["chance", "group", "time"] | None = Field(
        None,
        description="What the source parted its test from train by. --splits draws a test anew "
        "unless that was groups or time.",
    )
    redraw: Seed | None = Field(
        None,
        description="Takes train and the source's test together, and draws a test of as many rows "
        "anew by this seed: what the further splits of a study have.",
    )
    reading: Reading = Reading()
    splits: SplitNames = SplitNames()
    licence: Text = Field(description="Under what terms the rows may be used.")
    note: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Data:
        named = [n for n in ("hub", "files", "folder", "file") if getattr(self, n) is not None]
        if len(named) != 1:
            raise ValueError(
                "name one source (hub, files, folder or file), "
                + (f"not {' and '.join(named)}" if named else "none is named")
            )
        if self.files is not None and self.files.test is None and self.test is None:
            raise ValueError(
                "files names no test: name one, or have it carved from train: "
                "test: {share: 0.2, seed: 0}"
            )
        if self.files is not None and self.files.test is not None and self.test is not None:
            raise ValueError("files names a test, and test carves one: leave one away")
        if self.redraw is not None and self.carving is not None:
            raise ValueError("test is carved, and redraw draws one anew: give test another seed")
        if self.redraw is not None and self.parted in ("group", "time"):
            raise ValueError(f"test is parted by {self.parted}: it is not drawn anew")
        return self

    @property
    def carving(self) -> TestCarving | None:
        """How test is carved; None where the source's own is used."""
        return self.test or (TestCarving() if self.file is not None else None)


class Validation(Closed):
    """How validation is carved from train where the source gives none."""

    share: Share = Field(0.1, description="Part of train, stratified by class.")
    seed: Seed = Field(0, description="The seed of the split.")


class Calibration(Closed):
    """Rows of train that are set aside before anything is searched, by the rule that carves
    validation. No search, fold or training sees them: what is certified is certified on them."""

    share: Share = Field(0.2, description="Part of train; at most 10,000 rows are set aside.")
    least: int = Field(
        500, ge=1, le=1_000_000, description="Rows that are set aside where the share has fewer."
    )


class Prompt(Closed):
    """The multiple-choice question, in one language."""

    instruction: Text
    text_heading: str = Field("", description="Stands above the text.")
    question: Text
    answer: Text = Field("Answer:", description="What the answer follows.")
    template: str | None = Field(
        None,
        description="The whole question, where the usual layout does not fit: {text} and {options} "
        "once each, and as wanted {instruction}, {heading}, {question}, {answer}, {examples}.",
    )
    codes: list[Text] = Field(
        default_factory=list, description="The code of each label, in order. Default: A, B, C …"
    )

    @field_validator("template")
    @classmethod
    def _gaps(cls, value: str | None) -> str | None:
        for gap in ("{text}", "{options}"):
            if value is not None and value.count(gap) != 1:
                raise ValueError(f"a prompt's template needs {gap} exactly once")
        return value

    @field_validator("codes")
    @classmethod
    def _codes_differ(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError("two labels have the same code")
        return value


def default_prompt(language: str) -> Prompt:
    """What is asked where a task words no question of its own: in English, where none is worded
    for the language."""
    worded = language_of(language)
    return Prompt(
        instruction=worded.instruction,
        text_heading=worded.text_heading,
        question=worded.question,
        answer=worded.answer,
    )


class Reference(Closed):
    """A published number. Drawn only where test data and training size match ours."""

    model: Text
    metric: Literal["accuracy", "macro_f1"]
    value: float = Field(ge=0, le=1)
    source: Text
    train_rows: int | None = Field(None, ge=0, description="Rows it was trained on; 0 for none.")
    test_rows: int | None = Field(None, ge=1)
    note: str | None = None


class Task(Closed):
    """A labelled text-classification problem."""

    name: str
    title: Text
    language: LanguageCode
    description: str | None = None
    labels: list[Label] = Field(min_length=2)
    data: Data
    validation: Validation = Validation()
    calibration: Calibration | None = Field(
        None,
        description="Sets rows of train aside, on which is certified what the model answers alone.",
    )
    max_tokens: int = Field(256, ge=8, le=32_768, description="Longer texts are cut here.")
    latency_bound_ms: float = Field(100, gt=0, description="p99 bound of the Server scenario.")
    class_weights: Literal["none", "balanced"] = "none"
    imbalance: str | None = Field(None, description="What is known of the class sizes.")
    out_of_scope: str | None = Field(None, description="The label of rows that fit no class.")
    prompt: dict[LanguageCode, Prompt] = Field(default_factory=dict)
    references: list[Reference] = Field(default_factory=list)

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not NAME.fullmatch(value):
            raise ValueError(
                f"{value!r} is no name: small letters, digits, '-', '_' and '.', at most 64"
            )
        return value

    @model_validator(mode="after")
    def _labels_differ(self) -> Task:
        owners: dict[str, str] = {}
        for label in self.labels:
            for spelling in {label.name, *(str(v) for v in label.values)}:
                if spelling in owners:
                    raise ValueError(
                        f"'{spelling}' stands for both '{owners[spelling]}' and '{label.name}'"
                    )
                owners[spelling] = label.name
        for language, prompt in self.prompt.items():
            if prompt.codes and len(prompt.codes) != len(self.labels):
                raise ValueError(
                    f"prompt.{language} names {counted(len(prompt.codes), 'code')} for "
                    f"{counted(len(self.labels), 'label')}"
                )
        if self.out_of_scope is not None and self.out_of_scope not in self.label_names:
            raise ValueError(f"out_of_scope '{self.out_of_scope}' is not among the labels")
        return self

    @property
    def label_names(self) -> list[str]:
        """Class names, by class index."""
        return [label.name for label in self.labels]

    @property
    def outside(self) -> int | None:
        """The class index of rows that fit no class; None where the task names no such label."""
        return None if self.out_of_scope is None else self.label_names.index(self.out_of_scope)
