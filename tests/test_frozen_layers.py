"""Layers that stay as they are: computed once for each row, and the same training all the same."""

import os
import shutil

import numpy as np
import pytest
from test_strategies_neural import BERT, QWEN, ToyRun, rows, task

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from suite import strategies  # noqa: E402
from suite.contracts.space import Choice, Fixed, contains  # noqa: E402
from suite.machine import cache, rowstore  # noqa: E402
from suite.models.catalogue import load_catalogue, local_model  # noqa: E402
from suite.strategies.heads import frozen_layers, head_training  # noqa: E402
from suite.strategies.heads.frozen_layers import FrozenLayers  # noqa: E402
from suite.strategies.network import tiny  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = {
    "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 48,
    "max_position_embeddings": 64,
}  # fmt: skip


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """Folders of an encoder with dropout and of a decoder, four layers each."""
    home = tmp_path_factory.mktemp("grown")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUITE_CACHE", str(home))
        found = {}
        for model, kind, extra in (
            (BERT, "Bert", {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.2}),
            (QWEN, "Qwen3", {"num_key_value_heads": 2, "head_dim": 8}),
        ):
            target = home / kind.lower()
            shutil.copytree(tiny.folder(ToyRun(home, model)), target)
            tokenizer = transformers.AutoTokenizer.from_pretrained(target)
            config = getattr(transformers, f"{kind}Config")(
                vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **SIZES, **extra
            )
            torch.manual_seed(1)
            getattr(transformers, f"{kind}ForSequenceClassification")(config).save_pretrained(
                target
            )
            found[kind] = target
    return found


@pytest.fixture
def train(folder, grown, monkeypatch):
    """Trains a head on one of them: the run, its losses, and its predictor."""

    def of(kind, *, max_tokens=32, **params):
        losses = []
        plain = head_training._Loss.__call__

        def noted(loss, *given):
            found = plain(loss, *given)
            losses.append(found.item())
            return found

        with monkeypatch.context() as patch:
            patch.setattr(head_training._Loss, "__call__", noted)
            model = local_model(f"mine={grown[kind]}")
            run = ToyRun(
                folder, model, {"learning_rate": 2e-3, "batch": 16, **params}, train=rows(48)
            )
            run.task = task(max_tokens=max_tokens)
            predictor = strategies.get("linear_head").fit(run)
        return run, losses, predictor

    return of


@pytest.mark.parametrize("tuning", ["full", "lora"])
@pytest.mark.parametrize("kind", ["Bert", "Qwen3"])
def test_a_training_over_kept_states_has_the_losses_of_one_that_computes_them(
    kind, tuning, train, monkeypatch
):
    params = {"freeze": 0.5, "tuning": tuning}
    monkeypatch.setenv("SUITE_CACHE_BYTES", "0")
    with monkeypatch.context() as patch:
        patch.setattr(frozen_layers, "_MEMORY_SHARE", 0)
        run, wanted, whole = train(kind, **params)
    assert run.notes["frozen_states"] == "in each step" and run.notes["frozen_layers"] == 2
    run, held, _ = train(kind, **params)
    assert run.notes["frozen_states"] == "in memory" and cache.entries() == []
    monkeypatch.delenv("SUITE_CACHE_BYTES")
    run, made, _ = train(kind, **params)
    assert run.notes["frozen_states"] == "made"
    run, found, predictor = train(kind, **params)
    assert run.notes["frozen_states"] == "cached" and run.saved_seconds > 0
    assert len(wanted) == 6
    np.testing.assert_allclose(held, wanted, rtol=1e-5)
    assert held == made == found
    texts = rows(9, seed=4).texts
    np.testing.assert_allclose(
        predictor.predict_proba(texts), whole.predict_proba(texts), atol=1e-4
    )


@pytest.mark.parametrize("kind", ["Bert", "Qwen3"])
def test_the_chunks_of_a_text_have_states_of_their_own(kind, train, monkeypatch):
    params = {"freeze": 0.5, "cutting": "chunks_mean", "max_tokens": 8}
    with monkeypatch.context() as patch:
        patch.setenv("SUITE_CACHE_BYTES", "0")
        patch.setattr(frozen_layers, "_MEMORY_SHARE", 0)
        run, wanted, _ = train(kind, **params)
    assert run.notes["frozen_states"] == "in each step"
    run, made, _ = train(kind, **params)
    assert run.notes["frozen_states"] == "made"
    np.testing.assert_allclose(made, wanted, rtol=1e-5)
    _, whole, _ = train(kind, freeze=0.5)
    assert np.abs(np.subtract(whole, wanted)).max() > 1e-4  # they were cut


@pytest.mark.parametrize("kind", ["Bert", "Qwen3"])
def test_what_is_frozen_stays_to_the_bit_and_the_rest_learns(kind, train, grown):
    auto = transformers.AutoModelForSequenceClassification
    before = auto.from_pretrained(grown[kind]).state_dict()
    frozen = ("embed", "layer.0.", "layer.1.", "layers.0.", "layers.1.")
    for share, still in ((0.5, frozen), (0.0, ())):
        _, _, predictor = train(kind, freeze=share)
        after = predictor.model.state_dict()
        for name, weights in after.items():
            if name.startswith(("score", "classifier")) or "pooler" in name:
                continue
            same = torch.equal(weights.float(), before[name])
            assert same == any(part in name for part in still), name


def test_all_layers_may_be_frozen_and_the_head_learns(train):
    for kind in ("Bert", "Qwen3"):
        run, losses, _ = train(kind, freeze=1.0)
        assert run.notes["frozen_layers"] == 4 and len(set(losses)) == len(losses)


def test_other_depths_and_other_weights_are_not_taken_for_these(train, grown):
    for share, entries in ((0.5, 1), (0.75, 2), (0.5, 2)):
        train("Qwen3", freeze=share)
        assert sum(e.file.parent.name == "states" for e in cache.entries()) == entries
    weights = grown["Qwen3"] / "model.safetensors"
    stands = weights.stat()
    os.utime(weights, (stands.st_atime, stands.st_mtime + 5))
    run, _, _ = train("Qwen3", freeze=0.5)
    assert run.notes["frozen_states"] == "made"


def test_layers_are_told_apart_in_architectures_that_are_padded():
    distil = transformers.DistilBertForSequenceClassification(
        transformers.DistilBertConfig(dim=32, n_layers=4, n_heads=2, hidden_dim=32, vocab_size=40)
    )
    found = FrozenLayers.of(distil, 0.5)
    assert found.layer == 2
    frozen = {name for name, weights in distil.named_parameters() if not weights.requires_grad}
    assert {name.split(".")[1] for name in frozen} == {"embeddings", "transformer"}
    assert {n.split(".")[3] for n in frozen if "transformer" in n} == {"0", "1"}
    distil.train()
    found.quiet()
    modes = [layer.training for layer in distil.distilbert.transformer.layer]
    assert modes == [False, False, True, True]
    albert = transformers.AlbertForSequenceClassification(
        transformers.AlbertConfig(
            hidden_size=32, num_attention_heads=2, intermediate_size=32, embedding_size=8,
            vocab_size=40, num_hidden_layers=3,
        )
    )  # fmt: skip
    assert FrozenLayers.of(albert, 0.5) is None  # one layer, passed three times
    assert all(weights.requires_grad for weights in albert.parameters())


def test_the_share_is_searched_where_weights_were_pretrained():
    head, catalogue = strategies.get("linear_head"), load_catalogue()
    for name in ("bert-base-cased", "minilm", "qwen3-0.6b"):
        space = head.space(catalogue[name], task())
        assert space.dimensions["freeze"] == Choice((0.0, 0.5, 0.75))
        assert all(contains(space.dimensions["freeze"], p["freeze"]) for p in space.known_good)
    assert head.space(BERT, task()).dimensions["freeze"] == Fixed(0.0)
    assert head.hyperparameters(BERT)["freeze"].default == 0.0  # of a study made before


def test_a_matrix_in_pieces_is_a_safetensors_file(folder):
    from safetensors.numpy import load_file

    wanted = np.arange(12, dtype=np.float32).reshape(4, 3)

    def fill(put):
        put(2, wanted[2:])
        put(0, wanted[:2])
        return {"seconds": "1.5"}

    file = cache.place("states", ["some"])
    made = rowstore.make(file, 4, 3, fill)
    np.testing.assert_array_equal(load_file(file)["rows"], wanted)
    found = rowstore.find(file, 4, 3)
    assert found.facts == {"seconds": "1.5"}
    for stored in (made, found):
        np.testing.assert_array_equal(stored.read(1, 2), wanted[1:3])
    assert rowstore.find(file, 3, 4) is None
    file.unlink()
    np.testing.assert_array_equal(found.read(3, 1), wanted[3:])  # it is still open
    assert rowstore.find(file, 4, 3) is None


def test_a_matrix_that_has_no_room_or_is_damaged_is_none(folder, monkeypatch):
    values = np.ones((4, 3), dtype=np.float32)

    def fill(put):
        put(0, values)
        return {}

    file = cache.place("states", ["some"])
    rowstore.make(file, 4, 3, fill)
    file.write_bytes(file.read_bytes()[:-4])
    assert rowstore.find(file, 4, 3) is None
    file.unlink()
    with monkeypatch.context() as patch:
        patch.setenv("SUITE_CACHE_BYTES", "100")
        assert rowstore.make(file, 4, 3, fill) is None

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rowstore.os, "pwrite", full)
    assert rowstore.make(file, 4, 3, fill) is None
    assert not [path for path in (folder / "cache").rglob("*") if path.is_file()]
