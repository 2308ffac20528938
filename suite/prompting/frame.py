"""What a chat format puts around a turn, by the model's template, and the marks it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from suite.contracts.strategy import Refused
from suite.prompting.answers import THINK_CLOSES, THINK_OPENS
from suite.prompting.think_block import CANT_THINK

_GAP = "\u2063content\u2063"
#: What works without a think block, asked and taught.
_UNTHINKING = "mode: no_think (zero_shot) or think: prompt (sft)"


@dataclass(frozen=True)
class Frame:
    """What a chat format puts around a user's turn.

    Args:
        head: before the turn.
        tail: between the turn and the answer.
        prefix: opens the answer itself (a space, where there is no chat format).
        thinks: whether the format has a think block: one that can be switched, or that always is.
        opened: whether the prompt opens the think block itself.
    """

    head: str
    tail: str
    prefix: str
    thinks: bool
    opened: bool

    @classmethod
    def of(cls, tokenizer: Any, *, think: bool) -> Frame:
        """The frame of a tokenizer's chat template; the bare turn where it has none.

        Raises:
            Refused: the template can't be rendered, or thinking is asked of one that has none.
        """
        if not getattr(tokenizer, "chat_template", None):
            if think:
                why = "there is no chat template"
                raise Refused(CANT_THINK.format(why=why, setting=_UNTHINKING))
            start = tokenizer.bos_token or "" if _adds_start(tokenizer) else ""
            return cls(start, "", " ", thinks=False, opened=False)
        on, off = (_render(tokenizer, (), thinking=thinking) for thinking in (True, False))
        head, gap, tail = (on if think else off).partition(_GAP)
        if not gap or _GAP in tail:
            raise Refused("the model's chat template does not hold the user's turn exactly once")
        opened = THINK_OPENS in tail and THINK_CLOSES not in tail
        thinks = opened or (on != off and THINK_CLOSES in off + on)
        if think and not thinks:
            why = "switching it on changes nothing in its template"
            raise Refused(CANT_THINK.format(why=why, setting=_UNTHINKING))
        if opened and not think:  # A template that always thinks: its block is closed here.
            tail, opened = tail.rstrip("\n") + "\n\n" + THINK_CLOSES + "\n\n", False
        return cls(head, tail, "", thinks, opened)

    def whole(self, content: str) -> str:
        """The prompt of a user's turn."""
        return f"{self.head}{content}{self.tail}"

    def after(self, tokenizer: Any, turns: Sequence[tuple[str, str]], *, think: bool) -> Frame:
        """The same behind turns that were asked and answered.

        Args:
            turns: what the user said and the model wrote.

        Raises:
            Refused: the template can't be rendered with them.
        """
        if not getattr(tokenizer, "chat_template", None):
            said = "".join(f"{user}{self.prefix}{answer}\n\n" for user, answer in turns)
            return replace(self, head=self.head + said)
        whole = _render(tokenizer, turns, thinking=think)
        head, gap, _ = whole.rpartition(_GAP)
        if not gap or not all(user in head for user, _ in turns):
            raise Refused("the model's chat template leaves out turns; examples: prompt would work")
        return replace(self, head=head)


def _adds_start(tokenizer: Any) -> bool:
    return tokenizer.bos_token_id is not None


def _render(tokenizer: Any, turns: Sequence[tuple[str, str]], *, thinking: bool) -> str:
    said = [
        message
        for user, answer in turns
        for message in (
            {"role": "user", "content": user},
            {"role": "assistant", "content": answer},
        )
    ]
    try:
        rendered: str = tokenizer.apply_chat_template(
            [*said, {"role": "user", "content": _GAP}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=thinking,
        )
    except Exception as error:  # a template may raise anything that jinja has
        reason = " ".join(str(error).split())[:200]
        raise Refused(f"the model's chat template can't be rendered: {reason}") from error
    return rendered


def control_marks(tokenizer: Any) -> tuple[str, ...]:
    """The marks no text may hold: special tokens, and whatever the chat template writes."""
    template = str(getattr(tokenizer, "chat_template", None) or "")
    marks = {
        token.content.strip()
        for token in tokenizer.added_tokens_decoder.values()
        if token.special or (token.content.strip() and token.content.strip() in template)
    }
    if THINK_CLOSES in template:
        marks |= {THINK_OPENS, THINK_CLOSES}
    return tuple(sorted(mark for mark in marks if len(mark) > 1 and not mark.isalnum()))
