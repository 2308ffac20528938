"""Packed texts: the same numbers as transformers' own forward pass, without the padding."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from suite.strategies.network import packed_attention, packed_models  # noqa: E402
from suite.strategies.network.feeding import Classifier, pad  # noqa: E402
from suite.strategies.network.packed_attention import Dropout, attend  # noqa: E402
from suite.strategies.network.packing import pack, parts  # noqa: E402

CPU = torch.device("cpu")
ROWS = [[7, 3, 9, 4], [5], [8, 2, 6, 4, 9, 1, 3], [11, 12, 13, 14], [9, 9]]
SMALL = {
    "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48,
    "num_labels": 3, "vocab_size": 40, "max_position_embeddings": 64, "pad_token_id": 0,
}  # fmt: skip
DECODER = {"num_key_value_heads": 2}


def model_of(name, **changes):
    torch.manual_seed(3)
    extra = DECODER if name in ("Qwen3", "Qwen2", "Llama") else {}
    if name == "Qwen3":
        extra = {**extra, "head_dim": 8}
    config = getattr(transformers, f"{name}Config")(**{**SMALL, **extra, **changes})
    return getattr(transformers, f"{name}ForSequenceClassification")(config).eval()


def gradients(model):
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(
    "name", ["Bert", "Roberta", "XLMRoberta", "Camembert", "Qwen3", "Qwen2", "Llama"]
)
def test_logits_and_gradients_are_those_of_transformers(name):
    model = model_of(name)
    weights = torch.arange(15.0).view(5, 3)
    plain = model(**pad(ROWS, 0, CPU, 64)).logits
    (plain * weights).sum().backward()
    wanted = gradients(model)
    model.zero_grad()
    packed = packed_models.packed_classifier(model)(pack(ROWS, CPU))
    (packed * weights).sum().backward()
    found = gradients(model)
    torch.testing.assert_close(packed, plain, atol=1e-6, rtol=1e-5)
    assert set(found) == set(wanted)
    for parameter, gradient in wanted.items():
        torch.testing.assert_close(found[parameter], gradient, atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("name", ["Roberta", "Qwen3", "Qwen2", "Llama"])
@pytest.mark.parametrize("layer", [0, 2, 3])
def test_a_pass_goes_on_from_what_reached_a_layer(name, layer):
    model = model_of(name)
    classifier, packed = packed_models.packed_classifier(model), pack(ROWS, CPU)
    whole = classifier(packed)
    below = classifier.below(packed, layer)
    assert below.shape == (sum(map(len, ROWS)), 32)
    again = classifier(packed, packed_models.Begun(below, layer))
    torch.testing.assert_close(again, whole, atol=1e-6, rtol=1e-5)
    other = classifier(packed, packed_models.Begun(below.roll(1, dims=1), layer))
    assert (other - whole).abs().max() > 1e-4


def test_a_text_changes_nothing_about_its_neighbours():
    classifier = packed_models.packed_classifier(model_of("Bert"))
    together = classifier(pack(ROWS, CPU))
    for index, row in enumerate(ROWS):
        torch.testing.assert_close(classifier(pack([row], CPU))[0], together[index])


def test_lora_in_the_layers_is_followed():
    import peft

    config = peft.LoraConfig(
        task_type="SEQ_CLS", r=4, target_modules=["query", "dense"], modules_to_save=["classifier"]
    )
    model = peft.get_peft_model(model_of("Bert"), config).eval()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    plain = model(**pad(ROWS, 0, CPU, 64)).logits
    packed = packed_models.packed_classifier(model)(pack(ROWS, CPU))
    torch.testing.assert_close(packed, plain, atol=1e-5, rtol=1e-5)


def test_bfloat16_by_autocast_stays_near():
    model = model_of("Bert")
    plain = model(**pad(ROWS, 0, CPU, 64)).logits
    with torch.autocast("cpu", dtype=torch.bfloat16):
        packed = packed_models.packed_classifier(model)(pack(ROWS, CPU))
    torch.testing.assert_close(packed.float(), plain, atol=0.02, rtol=0.05)


def test_projections_side_by_side_give_the_same():
    model = model_of("Roberta")
    before = packed_models.packed_classifier(model)(pack(ROWS, CPU))
    packed_models.join_projections(model.roberta)
    layers = model.roberta.encoder.layer
    assert [layer.attention.self.query is None for layer in layers] == [True, True, False]
    after = packed_models.packed_classifier(model)(pack(ROWS, CPU))
    torch.testing.assert_close(after, before, atol=1e-6, rtol=1e-5)
    decoder = model_of("Qwen3").model
    packed_models.join_projections(decoder)  # nothing it knows: nothing is changed
    assert decoder.layers[0].self_attn.q_proj is not None


def test_an_encoder_gives_the_vectors_of_every_token():
    model = model_of("Roberta").roberta
    plain = model(**pad(ROWS, 0, CPU, 64)).last_hidden_state
    packed = pack(ROWS, CPU)
    found = packed_models.packed_encoder(model)(packed)
    wanted = torch.cat([plain[i, : len(ROWS[i])] for i in packed.order.tolist()])
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)
    first = packed_models.packed_encoder(model)(packed, "first")
    torch.testing.assert_close(packed.given_order(first), plain[:, 0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        lambda: transformers.DistilBertForSequenceClassification(
            transformers.DistilBertConfig(dim=32, n_layers=1, n_heads=2, hidden_dim=32)
        ),
        lambda: model_of("Bert", is_decoder=True),
        lambda: model_of("Qwen2", use_sliding_window=True, sliding_window=4, max_window_layers=0),
        lambda: model_of("Qwen3", attention_dropout=0.1),
    ],
)  # fmt: skip
def test_what_is_not_known_to_the_letter_keeps_its_own_way(model):
    found = model()
    assert packed_models.packed_classifier(found) is None
    assert Classifier(found, 0, CPU, limit=64).feeding == "padded"


def test_a_decoder_keeps_its_attention_for_everybody_else():
    model = model_of("Qwen3")
    before = model(**pad(ROWS, 0, CPU, 64)).logits
    packed_models.packed_classifier(model)(pack(ROWS, CPU))
    torch.testing.assert_close(model(**pad(ROWS, 0, CPU, 64)).logits, before)


def rows_of_attention(packed, width=8, seed=0):
    torch.manual_seed(seed)
    return [torch.randn(len(packed.ids), width, requires_grad=True) for _ in "qkv"]


@pytest.mark.parametrize(("causal", "alone"), [(False, False), (True, False), (False, True)])
def test_side_by_side_is_the_same_as_by_runs(causal, alone):
    packed = pack(ROWS, CPU)
    outcomes = []
    for way in (packed_attention._by_runs, packed_attention._side_by_side):
        q, k, v = rows_of_attention(packed)
        asked = q[packed.starts] if alone else q
        extra = (0.0,) if way is packed_attention._side_by_side else ()
        found = way(asked, k, v, packed, 2, 0.5, *extra, causal)
        found.square().sum().backward()
        outcomes.append((found, q.grad, k.grad, v.grad))
    for one, other in zip(*outcomes, strict=True):
        torch.testing.assert_close(one, other, atol=5e-6, rtol=1e-5)


@pytest.mark.parametrize("alone", [False, True])
def test_dropped_attention_weights_go_the_same_way_forth_and_back(alone):
    packed = pack(ROWS, CPU)
    q, k, v = rows_of_attention(packed)
    asked = q[packed.starts] if alone else q
    found = attend(
        asked, k, v, packed, heads=2, scale=0.5, dropout=0.3, drop=Dropout(5)
    )  # fmt: skip
    found.square().sum().backward()
    wanted = (found.detach().clone(), q.grad.clone(), k.grad.clone(), v.grad.clone())

    q, k, v = rows_of_attention(packed)
    asked = q[packed.starts] if alone else q
    same, pieces, at, from_ = Dropout(5), [], 0, 0
    for count, length in packed.runs:  # by autograd, written as the textbook has it
        asks = 1 if alone else length
        one = asked[from_ : from_ + count * asks].view(count, asks, 2, 4).transpose(1, 2)
        two, three = (
            x[at : at + count * length].view(count, length, 2, 4).transpose(1, 2) for x in (k, v)
        )
        weights = (one @ two.transpose(2, 3) * 0.5).softmax(-1)
        drawn = same.drawn(torch.Size((count * 2, asks, length)), 0.3).view(weights.shape)
        mixed = (weights * ~drawn / 0.7) @ three
        pieces.append(mixed.transpose(1, 2).reshape(count * asks, 8))
        at, from_ = at + count * length, from_ + count * asks
    plain = torch.cat(pieces)
    plain.square().sum().backward()
    for one, other in zip(wanted, (plain, q.grad, k.grad, v.grad), strict=True):
        torch.testing.assert_close(one, other.detach(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("dropout", [0.3, 0.0])
def test_short_texts_attend_in_float32_whatever_else_computes_in(dropout, autocast):
    """Small bfloat16 products cost several times as much as float32 ones, and their backward
    passes."""
    packed = pack(ROWS, CPU)
    outcomes = []
    for numbers in (torch.bfloat16, torch.float32):
        q, k, v = (
            row.detach().to(torch.bfloat16).to(numbers).requires_grad_()
            for row in rows_of_attention(packed)
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast and numbers == torch.bfloat16):
            found = attend(q, k, v, packed, heads=2, scale=0.5, dropout=dropout, drop=Dropout(5))
        # A gradient that is the same in both numbers.
        found.backward(torch.ones_like(found))
        outcomes.append((found, q.grad, k.grad, v.grad))
    for narrow, wide in zip(*outcomes, strict=True):
        assert narrow.dtype == torch.bfloat16
        assert torch.equal(narrow, wide.to(torch.bfloat16))


def test_dropout_drops_its_share_and_keeps_the_mean():
    values = torch.ones(200_000, requires_grad=True)
    dropped = Dropout(0)(values, 0.1)
    share = float((dropped == 0).float().mean())
    assert 0.097 < share < 0.103
    assert 0.99 < float(dropped.detach().mean()) < 1.01
    dropped.sum().backward()
    torch.testing.assert_close(values.grad, dropped.detach())
    assert Dropout(0)(values, 0.0) is values
    assert torch.equal(Dropout(7)(values, 0.5), Dropout(7)(values, 0.5))
    assert not torch.equal(Dropout(7)(values, 0.5), Dropout(8)(values, 0.5))


def test_parts_hold_every_row_once_within_the_budget():
    lengths = np.random.default_rng(0).integers(1, 60, size=300)
    for padded in (False, True):
        found = parts(lengths, 200, 16, padded=padded)
        assert sorted(np.concatenate(found).tolist()) == list(range(300))
        for part in found:
            cost = len(part) * lengths[part].max() if padded else lengths[part].sum()
            assert cost <= 200 and len(part) <= 16
    assert [p.tolist() for p in parts([500, 3], 100)] == [[0], [1]]
    assert parts([], 100) == []


def test_the_kernel_for_texts_of_different_lengths_is_left_alone_without_a_gpu():
    assert packed_attention._ragged_kernel(CPU, torch.bfloat16) is False


def test_the_order_of_training_has_every_row_once_a_pass():
    from suite.strategies.heads.head_batches import Order

    lengths = np.random.default_rng(1).integers(1, 90, size=103)
    for given in (None, lengths):
        order = Order(given, 103, 8, seed=4)
        first, second = list(order), list(order)
        assert sorted(first) == sorted(second) == list(range(103))
        assert first != second
        assert first == list(Order(given, 103, 8, seed=4))
        assert len(order) == 103
    grouped = [lengths[first[i : i + 8]] for i in range(0, 96, 8)]
    spread = np.mean([g.max() - g.min() for g in grouped])
    assert spread < 10  # of like length within a batch ...
    means = [g.mean() for g in grouped]
    assert means != sorted(means) and means != sorted(means, reverse=True)  # ... in any order
