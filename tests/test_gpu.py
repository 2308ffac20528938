"""The arms on a GPU: trained and asked there, they answer as they do on the CPU.

The other tests see no GPU (`conftest`), for their numbers are those of a CPU. These run with
SUITE_TESTS_ON=gpu, which `make test` sets in a second run where there is one. 16 bits are
compared with 32 here, so equal means within some hundredths.
"""

import numpy as np
import pytest
from tiny_decoders import ToyRun, build, rows, task

torch = pytest.importorskip("torch")

from test_packing import ROWS, model_of  # noqa: E402

from suite import strategies  # noqa: E402
from suite.contracts.strategy import Rows  # noqa: E402
from suite.machine import computing  # noqa: E402
from suite.models.catalogue import load_catalogue, local_model  # noqa: E402
from suite.strategies.network import packed_attention, packed_models  # noqa: E402
from suite.strategies.network.feeding import pad  # noqa: E402
from suite.strategies.network.packed_attention import attend  # noqa: E402
from suite.strategies.network.packing import pack  # noqa: E402

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a GPU, and SUITE_TESTS_ON=gpu"
)

CATALOGUE = load_catalogue()
LENGTHS = (5, 31, 2, 31, 17, 1)
UNSEEN = rows(60, seed=5, classes=2)
#: On two classes of telling words: learnt is well above one half.
LEARNT = 0.8
NEAR = 0.05


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def make(model, params=None, **changes):
        changes = {
            "task": task(2), "train": rows(96, classes=2), "epochs": 2.0, "checkpoints": 2,
        } | changes  # fmt: skip
        if isinstance(model, str):
            model = CATALOGUE[model]
        return ToyRun(tmp_path, model, params, **changes)

    return make


def on_the_cpu(monkeypatch, work):
    """What a call returns where the CPU was asked for."""
    with monkeypatch.context() as patch:
        patch.setattr(computing, "on_cpu", lambda: True)
        return work()


def accuracy(predictor):
    return (predictor.predict_proba(UNSEEN.texts).argmax(axis=1) == UNSEEN.labels).mean()


def kept(strategy, predictor, folder, monkeypatch):
    """A predictor as kept: loaded on the GPU, and on the CPU."""
    predictor.save(folder)
    there = strategy.load(folder)
    return there, on_the_cpu(monkeypatch, lambda: strategy.load(folder))


def near(one, other):
    np.testing.assert_allclose(
        one.predict_proba(UNSEEN.texts), other.predict_proba(UNSEEN.texts), atol=NEAR
    )


# --- attention ----------------------------------------------------------------------------------


def test_the_kernel_of_ragged_rows_works_on_a_recent_card():
    where = torch.device("cuda")
    if torch.cuda.get_device_capability() < (8, 0):
        pytest.skip("the card has no bfloat16")
    assert packed_attention._ragged_kernel(where, torch.bfloat16)
    assert not packed_attention._ragged_kernel(where, torch.float32)


@pytest.mark.parametrize("numbers", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_and_its_gradients_are_those_of_the_cpu(numbers, causal):
    drawn = torch.Generator().manual_seed(3)
    ids = [list(range(n)) for n in LENGTHS]
    given = [torch.randn(sum(LENGTHS), 128, generator=drawn) for _ in "qkv"]
    found = {}
    for name in ("cpu", "cuda"):
        where = torch.device(name)
        kind = torch.float32 if name == "cpu" else numbers
        q, k, v = (each.detach().to(where, kind).clone().requires_grad_() for each in given)
        attended = attend(q, k, v, pack(ids, where), heads=2, scale=0.125, causal=causal)
        attended.float().square().sum().backward()
        found[name] = [each.detach().float().cpu() for each in (attended, q.grad, k.grad, v.grad)]
    within = 1e-4 if numbers == torch.float32 else 0.06
    for there, here in zip(found["cuda"], found["cpu"], strict=True):
        torch.testing.assert_close(there, here, atol=within, rtol=within)


@pytest.mark.parametrize("name", ["Bert", "Qwen3"])
def test_packed_is_what_transformers_makes_of_padded_rows(name):
    gpu = torch.device("cuda")
    model = model_of(name).to(gpu)
    plain = model(**pad(ROWS, 0, gpu, 64)).logits
    packed = packed_models.packed_classifier(model)(pack(ROWS, gpu))
    torch.testing.assert_close(packed, plain, atol=1e-4, rtol=1e-3)
    with torch.autocast("cuda", dtype=torch.bfloat16):
        rough = packed_models.packed_classifier(model)(pack(ROWS, gpu))
    torch.testing.assert_close(rough.float(), plain, atol=0.03, rtol=0.05)


# --- heads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tuning", ["full", "lora"])
@pytest.mark.parametrize("model", ["tiny-bert", "tiny-qwen3"])
def test_a_head_learns_there_and_answers_alike_here(run, tmp_path, monkeypatch, model, tuning):
    strategy = strategies.get("linear_head")
    rate = 3e-3 if tuning == "full" else 1e-2
    trained = run(model, {"learning_rate": rate, "batch": 8, "tuning": tuning}, epochs=6.0)
    predictor = strategy.fit(trained)
    assert trained.notes["device"] == "cuda"
    assert trained.notes["precision"] == "bfloat16"
    assert trained.notes["feeding"] == "packed"
    if tuning == "full":
        assert accuracy(predictor) > LEARNT
    there, here = kept(strategy, predictor, tmp_path / "kept", monkeypatch)
    near(there, predictor)
    near(here, predictor)


def test_half_of_the_layers_may_stay_as_they_are(run):
    strategy = strategies.get("linear_head")
    trained = run("tiny-bert", {"learning_rate": 3e-3, "batch": 8, "freeze": 0.5}, epochs=6.0)
    assert accuracy(strategy.fit(trained)) > LEARNT
    assert trained.notes["device"] == "cuda"


def test_a_batch_that_memory_can_not_hold_goes_in_parts(run, monkeypatch):
    from suite.strategies.heads import head_training

    strategy = strategies.get("linear_head")
    long = Rows(tuple(" ".join([text] * 40) for text in rows(64, classes=2).texts), (0, 1) * 32)
    real, most = head_training._Trainer.training_step, []

    def step(self, model, inputs, count=None):
        most.append(self.tokens)
        if self.tokens > 1000:
            torch.empty(2**50, dtype=torch.uint8, device="cuda")
        return real(self, model, inputs, count)

    monkeypatch.setattr(head_training._Trainer, "training_step", step)
    trained = run(
        "tiny-bert", {"learning_rate": 1e-3, "batch": 32}, train=long,
        task=task(2, max_tokens=128),
    )  # fmt: skip
    strategy.fit(trained)
    assert most[0] > 1000 >= most[-1]
    assert trained.notes["tokens_at_once"] == most[-1]


def test_a_probe_embeds_there_and_answers_alike_here(run, tmp_path, monkeypatch):
    strategy = strategies.get("probe")
    predictor = strategy.fit(run("tiny-bert"))
    assert accuracy(predictor) > LEARNT
    there, here = kept(strategy, predictor, tmp_path / "kept", monkeypatch)
    near(there, predictor)
    near(here, predictor)


# --- decoders -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    return local_model(f"wide={build(tmp_path_factory.mktemp('decoder'), spread=0.1)}")


@pytest.mark.parametrize("score", ["code", "words", "both"])
def test_options_are_scored_as_on_the_cpu(run, decoder, tmp_path, monkeypatch, score):
    strategy = strategies.get("zero_shot")
    asked = strategy.fit(run(decoder, {"score": score}, train=rows(48), task=task()))
    there, here = kept(strategy, asked, tmp_path / "kept", monkeypatch)
    near(there, asked)
    near(here, asked)
    alone = np.concatenate([there.predict_proba([text]) for text in UNSEEN.texts[:12]])
    np.testing.assert_allclose(alone, there.predict_proba(UNSEEN.texts)[:12], atol=NEAR)


@pytest.mark.parametrize("tuning", ["full", "lora", "freeze"])
def test_a_decoder_is_taught_there_and_answers_alike_here(run, tmp_path, monkeypatch, tuning):
    strategy = strategies.get("sft")
    params = {"learning_rate": 4e-3, "batch": 8, "warmup": 0.1, "tuning": tuning}
    trained = run("tiny-qwen3", params, epochs=4.0)
    predictor = strategy.fit(trained)
    assert trained.notes["device"] == "cuda"
    assert trained.notes["feeding"] == "packed"
    if tuning == "full":
        assert accuracy(predictor) > LEARNT
    there, here = kept(strategy, predictor, tmp_path / "kept", monkeypatch)
    near(there, predictor)
    near(here, predictor)


# --- others -------------------------------------------------------------------------------------


def test_textcnn_learns_there(run, tmp_path, monkeypatch):
    strategy = strategies.get("classic")
    predictor = strategy.fit(run("textcnn", {"learning_rate": 5e-3}, epochs=8.0))
    assert accuracy(predictor) > LEARNT
    there, here = kept(strategy, predictor, tmp_path / "kept", monkeypatch)
    near(there, here)


@pytest.mark.parametrize(
    ("engine", "precision"),
    [("torch", "float32"), ("torch", "float16"), ("torch", "bfloat16"), ("compile", "bfloat16")],
)
def test_engines_serve_there(run, tmp_path, engine, precision):
    from suite.serving.engines import open_engine
    from suite.strategies import save_predictor

    trained = run("tiny-bert", {"learning_rate": 3e-3, "batch": 8})
    predictor = strategies.get("linear_head").fit(trained)
    save_predictor(predictor, "linear_head", tmp_path / "kept")
    scratch = tmp_path / "beside"
    scratch.mkdir()
    served = open_engine(
        tmp_path / "kept", engine, precision, texts=UNSEEN.texts[:8], scratch=scratch
    )
    assert served.device.startswith("cuda")
    near(served, predictor)
