"""Where weights and tokenizers are read from, and what is made of a library's complaints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import transformers

from suite.contracts.strategy import Refused, Run
from suite.errors import SuiteError, WeightsError
from suite.machine import memory
from suite.models import hub
from suite.strategies.network import tiny

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


@dataclass(frozen=True)
class Source:
    """A transformers folder; what is on the Hub has been fetched into one."""

    where: str

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of every `from_pretrained`."""
        return {"trust_remote_code": False, "local_files_only": True}


def source_of(run: Run) -> Source:
    """The run's weights. A builder builds them here, on the training clock.

    Raises:
        Unreachable: they can't be had, with what would help.
    """
    if run.model.builder is not None:
        return Source(str(tiny.folder(run)))
    with run.loading():
        return Source(str(hub.found_for(run.model)))


@contextmanager
def readable(source: Source, *, holding: bool = True) -> Iterator[None]:
    """Turns what a library says of a folder it can't use into one message of ours.

    Given a damaged file, transformers and tokenizers raise whatever comes first.

    Args:
        holding: whether memory for the weights is taken; where none is, a lack of it comes from
            sizes that nobody has.

    Raises:
        WeightsError: the folder can't be read as a model or a tokenizer.
    """
    try:
        yield
    except (SuiteError, Refused):
        raise
    except Exception as error:
        if holding and memory.ran_out(error):
            raise
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = lines[0][:300] if lines else ""
        named = isinstance(error, OSError | ValueError | RuntimeError | ImportError) and said
        raise WeightsError(
            f"can't be loaded: {said if named else f'{type(error).__name__} {said}'.strip()}",
            where=source.where,
            fix="Expected a folder as save_pretrained writes it: config.json, "
            "model.safetensors and tokenizer.json.",
        ) from error
