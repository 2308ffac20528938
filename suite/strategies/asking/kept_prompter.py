"""What a predictor that asks keeps besides its weights: its prompts, and the rows shown in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from suite.errors import ModelError, counted
from suite.prompting.chat import Prompter
from suite.prompting.stored import of_json, to_json
from suite.strategies.asking.settings import PromptedSettings
from suite.strategies.network import settings
from suite.strategies.network.transformer import Codec


def write(folder: Path, prompter: Prompter, **kept: Any) -> None:
    """Writes the tokenizer, `settings.json`, and the rows that texts choose their examples from.

    Args:
        kept: settings beside those of the prompter.
    """
    prompter.tokenizer.save_pretrained(folder)
    settings.write(folder, {"max_tokens": prompter.cutoff, **kept, "prompter": to_json(prompter)})
    if prompter.own is not None:
        prompter.own.chooser.save(folder)


def read(folder: Path, kept: PromptedSettings, codec: Codec, config: Any) -> Prompter:
    """The prompter that `write` wrote.

    Raises:
        ModelError: it does not fit its model, or its rows are missing or damaged.
    """
    highest = kept.prompter.highest
    if highest >= config.get_text_config().vocab_size:
        raise ModelError(
            f"prompter: {highest:,} is no token of its model",
            where=str(folder / settings.SETTINGS),
            fix=settings.FIX,
        )
    chooser = None
    if kept.prompter.own is not None:  # scikit-learn costs a second to import
        from suite.strategies.asking.neighbours import Neighbours

        chooser = Neighbours.load(folder, len(kept.label_names))
    prompter = of_json(codec.tokenizer, kept.prompter.model_dump(), chooser)
    if (least := len(prompter.encode([""]).ids[0])) > codec.max_tokens:
        raise ModelError(
            f"prompter: a prompt takes {counted(least, 'token')}, and the model has "
            f"{codec.max_tokens:,}",
            where=str(folder / settings.SETTINGS),
            fix=settings.FIX,
        )
    return prompter
