"""Taught answers where rare classes are made up for: what each token of them costs, and
where that leads."""

import numpy as np
import pytest
import torch
from test_sft import QUICK, shared, strategy, toy_run, written  # noqa: F401 - fixtures
from tiny_decoders import build, rows
from torch.nn.functional import cross_entropy

from suite.contracts.strategy import Refused, Rows
from suite.strategies.network.balance import Balance
from suite.strategies.teaching.answer_loss import AnswerLoss
from suite.strategies.teaching.answers_alone import answers_alone
from suite.strategies.teaching.llamafactory_files import FOLDER
from suite.strategies.teaching.sft_rows import Lesson

pytestmark = pytest.mark.usefixtures("one_thread")

CODES = ((5,), (6,), (7,))
#: What each class is answered: a think block's end, the code; the turn's end is no part of it.
ANSWERS = {(9, *code): label for label, code in enumerate(CODES)}
#: Two answers, each with the end of its turn.
WANTED = torch.tensor([9, 6, 3, 9, 5, 3])
BEGINS = torch.tensor([True, False, False, True, False, False])


def balance(weights=(1, 1, 1), shares=None, gamma=0.0):
    priors = np.zeros(len(weights)) if shares is None else np.log(shares)
    return Balance(np.array(weights, np.float32), priors.astype(np.float32), gamma)


def logits(seed=0):
    return torch.randn(6, 12, generator=torch.Generator().manual_seed(seed))


def each(found):
    return cross_entropy(found, WANTED, reduction="none")


def test_a_class_weighs_in_all_tokens_of_its_answers():
    found = AnswerLoss(balance((0.5, 4, 1)), CODES, ANSWERS)(logits(), WANTED, BEGINS)
    weights = torch.tensor([4, 4, 4, 0.5, 0.5, 0.5])
    torch.testing.assert_close(found, each(logits()) * weights)


def test_a_sure_answer_counts_less_in_its_code_alone():
    found = AnswerLoss(balance(gamma=2), CODES, ANSWERS)(logits(), WANTED, BEGINS)
    plain = each(logits())
    sure = logits().softmax(dim=1)[[1, 4], [6, 5]]
    expected = plain.clone()
    expected[[1, 4]] *= (1 - sure) ** 2
    torch.testing.assert_close(found, expected)


def test_shares_are_taken_out_of_the_options_alone():
    shares = (0.9, 0.09, 0.01)
    found = AnswerLoss(balance(shares=shares), CODES, ANSWERS)(logits(), WANTED, BEGINS)
    moved = logits()
    moved[[[1], [4]], [5, 6, 7]] += torch.tensor(shares).mul(3).log()
    torch.testing.assert_close(found, each(moved))
    # Against the other options as Menon et al. have it: by the ratio of the shares.
    even = AnswerLoss(balance(shares=(1 / 3,) * 3), CODES, ANSWERS)(logits(), WANTED, BEGINS)
    torch.testing.assert_close(even, each(logits()))


def test_a_code_of_several_tokens_is_one_choice_after_the_other():
    codes = ((5, 5), (5, 6), (7, 5))
    answers = {code: label for label, code in enumerate(codes)}
    wanted, begins = torch.tensor([5, 6, 3]), torch.tensor([True, False, False])
    three = logits()[:3]

    def of(**how):
        return AnswerLoss(balance(**how), codes, answers)(three, wanted, begins)

    moved = three.clone()
    moved[0, [5, 7]] += torch.tensor([(0.6 + 0.3) / 2 * 3, 0.1 * 3]).log()
    moved[1, [5, 6]] += torch.tensor([0.6 * 3, 0.3 * 3]).log()
    torch.testing.assert_close(
        of(shares=(0.6, 0.3, 0.1)), cross_entropy(moved, wanted, reduction="none")
    )
    plain = cross_entropy(three, wanted, reduction="none")
    sure = torch.exp(-plain[:2].sum())
    expected = plain * torch.tensor([(1 - sure) ** 2, (1 - sure) ** 2, 1.0])
    torch.testing.assert_close(of(gamma=2.0), expected)


def test_what_was_not_taught_is_refused():
    loss = AnswerLoss(balance((2, 1, 1)), CODES, {(9, 5): 0})
    with pytest.raises(Refused, match="an answer of 3 tokens that is none of the suite's"):
        loss(logits(), WANTED, BEGINS)


def test_an_answer_that_ends_in_other_tokens_than_its_code_is_refused(toy_run):  # noqa: F811
    run = toy_run({"balance": "focal"})
    lesson = Lesson(None, [1, 2, 9, 8], 2, 0)
    with pytest.raises(Refused, match="balance: oversampled"):
        AnswerLoss.of(run, [lesson], ((5,), (6,)))
    for way in ("none", "oversampled", "task"):
        run.params["balance"] = way
        assert AnswerLoss.of(run, [lesson], ((5,), (6,))) is None


WAYS = {
    "weights": {"weights": (0.2, 3, 1.5)},
    "focal": {"gamma": 2.0},
    "logit_adjusted": {"shares": (0.7, 0.2, 0.1)},
    "all": {"weights": (0.2, 3, 1.5), "shares": (0.7, 0.2, 0.1), "gamma": 2.0},
}


def of_the_books(logits, label, weights=(1, 1, 1), shares=None, gamma=0.0):
    """The summed loss of one answer (block's end, code, turn's end), term by term.

    Args:
        logits: what predicts its three tokens, [3, vocabulary].
    """
    block, code, ending = logits
    if shares is not None:
        own = [one for (one,) in CODES]
        code = code + torch.zeros_like(code).index_put(
            (torch.tensor(own),), torch.tensor(shares).mul(len(shares)).log()
        )
    said = code.log_softmax(0)[CODES[label][0]]
    costs = (1 - said.exp()) ** gamma * -said if gamma else -said
    around = -block.log_softmax(0)[9] - ending.log_softmax(0)[3]
    return weights[label] * (around + costs)


@pytest.mark.parametrize("way", WAYS)
def test_loss_and_gradients_are_those_of_the_books_however_rows_are_read(tmp_path, way):
    """By the suite's packing, padded, and as LLaMA-Factory packs them; against each text by itself
    and the whole of its logits."""
    from llamafactory.data.collator import prepare_4d_attention_mask
    from transformers import AutoModelForCausalLM

    folder = build(tmp_path / "model", tied=False)
    texts = []
    for label, length in enumerate((14, 9, 11)):
        drawn = torch.Generator().manual_seed(label)
        asked = torch.randint(10, 200, (length - 3,), generator=drawn)
        texts.append(torch.cat([asked, torch.tensor([9, *CODES[label], 3])]))
    ids, mask = torch.full((3, 14), 3), torch.zeros(3, 14, dtype=torch.long)
    labels = torch.full_like(ids, -100)
    for row, text in enumerate(texts):
        ids[row, : len(text)], mask[row, : len(text)] = text, 1
        labels[row, len(text) - 3 : len(text)] = text[-3:]
    padded = {"input_ids": ids, "attention_mask": mask, "labels": labels}
    # One row of all texts and two tokens that fill it.
    which = torch.cat([torch.full((len(text),), n + 1) for n, text in enumerate(texts)])
    which = torch.cat([which, torch.zeros(2, dtype=torch.long)])[None]
    neat = {
        "input_ids": torch.cat([*texts, torch.tensor([3, 3])])[None],
        "attention_mask": prepare_4d_attention_mask(which, torch.float32),
        "position_ids": torch.cat([torch.arange(len(one)) for one in (*texts, [0, 0])])[None],
        "labels": torch.cat([labels[mask.bool()], torch.tensor([-100, -100])])[None],
    }

    def loaded():
        return AutoModelForCausalLM.from_pretrained(folder).train()

    def grads(model):
        return {name: one.grad for name, one in model.named_parameters()}

    model = loaded()
    costs = [
        of_the_books(model(input_ids=text[None]).logits[0, -4:-1], label, **WAYS[way])
        for label, text in enumerate(texts)
    ]
    expected = sum(costs) / 9
    expected.backward()
    assert min(costs) > 0

    loss = AnswerLoss(balance(**WAYS[way]), CODES, ANSWERS)
    for how, batch in (("packed", padded), ("recomputed", padded), ("neat", neat)):
        other = loaded()
        if how == "recomputed":
            other.gradient_checkpointing_enable({"use_reentrant": False})
        assert answers_alone(other, loss) == "packed"
        outputs = other(**batch)
        outputs.loss.backward()
        torch.testing.assert_close(outputs.loss, expected, rtol=1e-5, atol=1e-6)
        for name, grad in grads(other).items():
            own = grads(model)[name]
            torch.testing.assert_close(grad, own, rtol=1e-3, atol=1e-5, msg=f"{how}: {name}")
        # By the number of tokens, of the whole step where that is told.
        of_step = other(**batch, num_items_in_batch=torch.tensor(27)).loss
        torch.testing.assert_close(of_step, outputs.loss / 3)


@pytest.mark.parametrize(
    ("way", "rests"),
    [
        ({}, (0.9, 0.1)),
        ({"weights": (0.5 / 0.9, 0.5 / 0.1)}, (0.5, 0.5)),
        ({"shares": (0.9, 0.1)}, (0.5, 0.5)),
    ],
)
def test_who_can_not_tell_classes_rests_at_their_shares_or_where_these_are_made_up_for(way, rests):
    """The same logits for all texts, of which one class has a tenth: where the gradient is 0."""
    loss = AnswerLoss(balance(**({"weights": (1, 1)} | way)), CODES[:2], {(5,): 0, (6,): 1})
    wanted = torch.tensor([5] * 9 + [6])
    begins = torch.ones(10, dtype=torch.bool)

    def pull(shares):
        same = torch.full((12,), -40.0)
        same[[5, 6]] = torch.tensor(shares).log()
        same.requires_grad_()
        loss(same.expand(10, -1), wanted, begins).mean().backward()
        return same.grad

    torch.testing.assert_close(pull(rests), torch.zeros(12), rtol=0, atol=1e-6)
    for away in (0.3, 0.05):  # what falls short of it grows
        assert (pull((1 - away, away))[6] < 0) == (away < rests[1])


def test_sure_rows_are_looked_past():
    """Where classes can't be told, the focal loss rests between shares and halves."""
    loss = AnswerLoss(balance((1, 1), gamma=2.0), CODES[:2], {(5,): 0, (6,): 1})
    wanted, begins = torch.tensor([5] * 9 + [6]), torch.ones(10, dtype=torch.bool)
    pulls = []
    for share in (0.1, 0.5):
        same = torch.full((12,), -40.0)
        same[[5, 6]] = torch.tensor((1 - share, share)).log()
        same.requires_grad_()
        loss(same.expand(10, -1), wanted, begins).mean().backward()
        pulls.append(same.grad[6].item())
    assert pulls[0] < -0.01 and pulls[1] > 0.01


@pytest.mark.parametrize("packing", [False, True])
def test_every_row_is_taught_by_what_makes_up_for_rare_classes(
    strategy, toy_run, tmp_path, monkeypatch, packing  # noqa: F811
):  # fmt: skip
    train = Rows(rows(40, classes=2).texts, tuple(int(row % 10 == 0) for row in range(40)))
    begun, costs = [], []
    called = AnswerLoss.__call__

    def spied(self, logits, wanted, begins):
        found = called(self, logits, wanted, begins)
        per_token = cross_entropy(logits, wanted, reduction="none")
        begun.append(int(begins.sum()))
        costs.append((found / per_token).detach()[begins])
        return found

    monkeypatch.setattr(AnswerLoss, "__call__", spied)
    params = {"balance": "weights", "packing": packing}
    strategy.fit(toy_run(params, train=train, checkpoints=1, epochs=2.0))
    assert "nothing does" in (tmp_path / "attached" / FOLDER / "train.yaml").read_text()
    # Every row twice, with the weight of its class; packed, a step reads several in one row.
    assert sum(begun) == 80
    weights = torch.cat(costs)
    rare = weights > 1
    assert rare.sum() == 2 * 4
    torch.testing.assert_close(weights[rare], torch.full((8,), 40 / (2 * 4)))
    torch.testing.assert_close(weights[~rare], torch.full((72,), 40 / (2 * 36)))


def test_what_the_task_says_holds_and_the_files_say_nothing_more_without(
    strategy, toy_run, tmp_path  # noqa: F811
):  # fmt: skip
    from tiny_decoders import task

    train = Rows(rows(24, classes=2).texts, (1, *[0] * 23))
    run = toy_run(train=train, task=task(2, class_weights="balanced"), checkpoints=1)
    strategy.fit(run)
    assert "class_weights" not in run.notes
    folder = tmp_path / "attached" / FOLDER
    weighted = (folder / "train.yaml").read_text()
    strategy.fit(toy_run({"balance": "none"}, train=train, checkpoints=1))
    plain = (folder / "train.yaml").read_text()
    (more,) = {line for line in weighted.splitlines() if line.startswith("#")} - set(
        plain.splitlines()
    )
    assert more == (
        "# The suite's loss also made up for rare classes (balance); run by hand, nothing does."
    )
    assert len(written(folder)[0]) == 24 and QUICK["batch"] == 8
