"""Two small transformers made from the task's own training texts, for the sample and for tests.

`tiny-bert` and `tiny-qwen3` are real models of their architectures with a vocabulary trained on
the texts and seeded random weights: no download, seconds to build, and everything downstream
treats their folder as it treats any other. The folder is kept in the shared cache, by the
fingerprint of the texts; the seconds its making took are kept with it, so that a trial which
finds it ready is charged as much as the one that built it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import string
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite import paths
from suite.contracts.strategy import Run
from suite.files import parse_json
from suite.machine.scratch import Scratch

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: Raise it when a change below makes other models of the same texts.
RECIPE = 2

VOCABULARY = 6000
WIDTH = 128
LAYERS = 2
#: Spread of tiny-qwen3's linear layers; embeddings keep the usual 0.02. With 0.02 everywhere so
#: narrow a model hardly hears, at the end of a prompt of 100 tokens, what the text in its middle
#: says: after 300 steps of 16 sample texts it chose the right option for .32 of them (rate 1e-3),
#: so for .80 (rate 2e-3).
QWEN_SPREAD = 0.1
BERT_POSITIONS = 512
QWEN_POSITIONS = 2048

#: Tokenisers see at most this many characters; more only takes longer.
_SEEN_CHARACTERS = 20_000_000

_BUILD_FACTS = "build.json"

# How Qwen's models cut texts before byte-pair merges (Qwen2's published tokenizer.json).
_QWEN_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

# Turns as Qwen3 writes them: thinking of earlier turns is left out, the turn that answers the
# last question opens with its think block, and `enable_thinking=False` closes an empty one in
# the prompt.
_CHAT_TEMPLATE = """\
{%- set turns = namespace(last_question=-1) -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}{%- set turns.last_question = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
{%- set content = message.content if message.content is string else '' -%}
{%- set thought = '' -%}
{%- if message.role == 'assistant' -%}
{%- if message.reasoning_content is string -%}
{%- set thought = message.reasoning_content -%}
{%- elif '</think>' in content -%}
{%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') -%}
{%- set content = content.split('</think>')[-1].lstrip('\\n') -%}
{%- endif -%}
{%- endif -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- set answers = message.role == 'assistant' and loop.index0 > turns.last_question -%}
{%- if answers and (loop.last or thought) -%}
{{- '<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') -}}
{%- else -%}
{{- content -}}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- if enable_thinking is defined and enable_thinking is false -%}
{{- '<think>\\n\\n</think>\\n\\n' -}}
{%- endif -%}
{%- endif -%}
"""


def folder(run: Run) -> Path:
    """A transformers folder (config, model.safetensors, tokenizer) built from `run.train`.

    A cached folder's building time is added to the run's clock.

    Raises:
        KeyError: the model's builder is not one of this module's.
    """
    build = _BUILDERS[str(run.model.builder)]
    facts = [run.model.builder, run.fingerprint, RECIPE, VOCABULARY, WIDTH, LAYERS]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    home = paths.cache() / "models"
    ready = home / f"{run.model.builder}-{key}"
    seconds = _seconds(ready)
    if seconds is not None:
        run.saved(seconds)
        return ready
    started = time.perf_counter()
    try:
        home.mkdir(parents=True, exist_ok=True)
        scratch = Scratch(paths.cache())
    except OSError:  # A cache that can't be written must not stop a trial.
        scratch, ready = Scratch(run.folder), run.folder / "built-model"
    draft = scratch.folder / "model"
    try:
        draft.mkdir()
        build(run.train.texts, draft)
        text = json.dumps({"seconds": time.perf_counter() - started})
        (draft / _BUILD_FACTS).write_text(text, encoding="utf-8")
        _move(draft, ready)
    finally:
        scratch.close()
    return ready


def _seconds(ready: Path) -> float | None:
    try:
        return float(parse_json((ready / _BUILD_FACTS).read_bytes())["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _move(draft: Path, ready: Path) -> None:
    try:
        os.rename(draft, ready)
    except OSError:
        if _seconds(ready) is None:  # Something is there that no build of ours finished.
            shutil.rmtree(ready, ignore_errors=True)
            os.rename(draft, ready)
        # Else another worker was quicker; its folder holds the same model.


def _seen(texts: Sequence[str]) -> Iterator[str]:
    left = _SEEN_CHARACTERS
    for text in texts:
        if left <= 0:
            return
        yield text[:left]
        left -= len(text)


def _save(
    tokenizer: Tokenizer,
    config: Any,
    architecture: str,
    target: Path,
    *,
    spread: float | None = None,
    **names: str,
) -> None:
    """Writes tokenizer and seeded random weights; leaves the caller's random state alone.

    Args:
        spread: standard deviation of the linear layers' weights, where not the config's.
    """
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        padding_side="right",
        model_max_length=config.max_position_embeddings,
        **names,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = getattr(transformers, architecture)(config)
    if spread is not None:
        with torch.no_grad():
            for module in model.base_model.modules():
                if isinstance(module, torch.nn.Linear):
                    module.weight.mul_(spread / config.initializer_range)
    wrapped.save_pretrained(target)
    model.save_pretrained(target)


def _build_bert(texts: Sequence[str], target: Path) -> None:
    from tokenizers import (
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
        trainers,
    )
    from transformers import BertConfig

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, handle_chinese_chars=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY,
        special_tokens=specials,
        initial_alphabet=list(string.ascii_lowercase + string.digits + string.punctuation),
        limit_alphabet=VOCABULARY * 3 // 4,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_seen(texts), trainer)
    ids = {name: tokenizer.token_to_id(name) for name in specials}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        intermediate_size=4 * WIDTH,
        max_position_embeddings=BERT_POSITIONS,
        # A few passes over few texts underfit: dropout would only slow the learning down, and
        # with it the attention can't use the quick kernel.
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=ids["[PAD]"],
    )
    _save(
        tokenizer, config, "BertForMaskedLM", target,
        pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]",
    )  # fmt: skip


def _build_qwen3(texts: Sequence[str], target: Path) -> None:
    from tokenizers import (
        AddedToken,
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        trainers,
    )
    from transformers import Qwen3Config

    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_QWEN_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_seen(texts), trainer)
    # One token each, yet ordinary text, as in Qwen3.
    tokenizer.add_tokens(
        [AddedToken(mark, normalized=False, special=False) for mark in ("<think>", "</think>")]
    )
    config = Qwen3Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=WIDTH,
        intermediate_size=3 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=WIDTH // 4,
        max_position_embeddings=QWEN_POSITIONS,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.token_to_id("<|endoftext|>"),
        bos_token_id=None,
        eos_token_id=tokenizer.token_to_id("<|im_end|>"),
    )
    _save(
        tokenizer, config, "Qwen3ForCausalLM", target, spread=QWEN_SPREAD,
        pad_token="<|endoftext|>", eos_token="<|im_end|>", chat_template=_CHAT_TEMPLATE,
    )  # fmt: skip


_BUILDERS: dict[str, Callable[[Sequence[str], Path], None]] = {
    "tiny-bert": _build_bert,
    "tiny-qwen3": _build_qwen3,
}
