"""linear_head and probe, on tiny models built from toy texts."""

import json
import random
import subprocess
import sys

import numpy as np
import pytest
from conftest import PATIENCE
from remembering_run import RememberingRun

from suite import strategies
from suite.contracts.model import Model
from suite.contracts.space import Fixed, contains
from suite.contracts.strategy import Pruned, Refused, Rows
from suite.contracts.task import Task
from suite.errors import ModelError, RecipeError
from suite.machine import facts
from suite.models import needs
from suite.models.catalogue import load_catalogue, local_model
from suite.strategies.network import tiny
from suite.strategies.network.shrinking import OutOfMemory
from suite.strategies.network.sources import Source

WORDS = (
    "lunch friend garden music river kind".split(),
    "prize click offer cash urgent deal".split(),
    "比赛 球队 冠军 进球 教练 球迷".split(),
)
SHARED = "the of to and now 今天 我们 for".split()
CATALOGUE = load_catalogue()
BERT, QWEN = CATALOGUE["tiny-bert"], CATALOGUE["tiny-qwen3"]


def rows(count, seed=0, classes=3):
    generator = random.Random(seed)
    texts, labels = [], []
    for index in range(count):
        words = generator.choices(WORDS[index % classes], k=3) + generator.choices(SHARED, k=3)
        generator.shuffle(words)
        texts.append(" ".join(words * generator.randint(1, 3)))
        labels.append(index % classes)
    return Rows(tuple(texts), tuple(labels))


def task(classes=3, **changes):
    names = [{"name": name} for name in ("ham", "spam", "sport")[:classes]]
    return Task.model_validate(
        {
            "name": "toy",
            "title": "Toy",
            "language": "en",
            "labels": names,
            "max_tokens": 32,
            "data": {"folder": "data", "licence": "made for the tests"},
        }
        | changes
    )


class ToyRun(RememberingRun):
    """Two passes over 96 rows, scored twice."""

    def __init__(self, folder, model, params=None, *, train=None, **changes):
        super().__init__(folder, model, task(), train or rows(96), params, **changes)


QUICK = {"learning_rate": 2e-3, "batch": 16}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def head():
    return strategies.get("linear_head")


@pytest.fixture
def probe():
    return strategies.get("probe")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folders of both tiny models, built once."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("built")
        patch.setenv("SUITE_CACHE", str(home))
        return {model.name: tiny.folder(ToyRun(home, model)) for model in (BERT, QWEN)}


def accuracy(predictor, seed=1):
    unseen = rows(60, seed)
    return (predictor.predict_proba(unseen.texts).argmax(axis=1) == unseen.labels).mean()


# --- what may be asked, without torch ---------------------------------------------------------


def test_asking_never_imports_torch():
    code = (
        "import sys\n"
        "from suite import strategies\nfrom suite.models import hub\n"
        "from suite.models.catalogue import load_catalogue\n"
        "from suite.config.task import find_task\n"
        "task = find_task('agnews')[0]\n"
        "for name in ('linear_head', 'probe'):\n"
        "    for model in load_catalogue().values():\n"
        "        strategies.get(name).refuses(model, task)\n"
        "        strategies.get(name).space(model, task)\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'datasets', 'evaluate'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)


@pytest.mark.parametrize("name", ["linear_head", "probe"])
@pytest.mark.parametrize("model", [m for m in CATALOGUE.values() if m.family != "classic"])
def test_known_good_points_lie_inside_the_space(name, model):
    space = strategies.get(name).space(model, task())
    assert space.known_good
    for point in space.known_good:
        for parameter, value in point.items():
            assert contains(space.dimensions[parameter], value), (parameter, value)


def test_small_encoders_start_at_the_plain_fine_tune(head):
    space = head.space(CATALOGUE["minilm"], task())
    assert space.known_good[0]["learning_rate"] == 1e-4
    assert space.known_good[0]["batch"] == 32


def test_large_decoders_are_tuned_by_lora_only(head):
    assert head.space(CATALOGUE["qwen3-4b"], task()).dimensions["tuning"] == Fixed("lora")


@pytest.mark.parametrize("name", ["linear_head", "probe"])
def test_a_classic_model_is_refused_with_the_reason(name):
    reason = strategies.get(name).refuses(CATALOGUE["tfidf"], task())
    assert "needs an encoder or decoder" in reason


@pytest.mark.parametrize("name", ["linear_head", "probe"])
def test_a_foreign_language_is_refused_with_the_reason(name):
    strategy = strategies.get(name)
    assert "reads Chinese; the texts are in English" in strategy.refuses(
        CATALOGUE["bert-base-chinese"], task()
    )
    assert "the texts are in Chinese" in strategy.refuses(CATALOGUE["minilm"], task(language="zh"))
    assert strategy.refuses(QWEN, task(language="zh")) is None


def test_too_large_a_model_is_refused_with_figures(monkeypatch, head, probe, tmp_path):
    monkeypatch.setattr(facts, "has_gpu", lambda: False)
    monkeypatch.setattr(facts, "usable_memory", lambda: 16_000_000_000)
    reason = head.refuses(CATALOGUE["qwen3-4b"], task())
    assert "LoRA" in reason
    assert "4,022M parameters" in reason
    assert "32.2 GB" in reason
    assert "16.0 GB" in reason
    assert "20.1 GB" in probe.refuses(CATALOGUE["qwen3-4b"], task())
    assert head.refuses(CATALOGUE["qwen3-1.7b"], task()) is None
    with pytest.raises(Refused, match=r"full fine-tuning of qwen3-1.7b .* needs about 27.5 GB"):
        head.fit(ToyRun(tmp_path, CATALOGUE["qwen3-1.7b"], {"tuning": "full"}))
    monkeypatch.setattr(facts, "has_gpu", lambda: True)
    assert head.refuses(CATALOGUE["qwen3-4b"], task()) is None


def test_a_local_folders_parameters_are_counted_from_its_header(built):
    model = local_model(f"mine={built['tiny-bert']}")
    from safetensors.numpy import load_file

    weights = load_file(built["tiny-bert"] / "model.safetensors")
    assert needs.parameters(model) == sum(w.size for w in weights.values())
    assert needs.hidden_size(model) == tiny.WIDTH


def test_a_value_that_can_not_be_used_is_refused(head, probe, folder):
    for params in ({"batch": 0}, {"schedule": "wavy"}, {"tuning": "half"}, {"warmup": 1.5}):
        with pytest.raises(RecipeError, match=next(iter(params))):
            head.fit(ToyRun(folder, BERT, params))
    for params in ({"pooling": "max"}, {"scaling": "log"}, {"C": -1.0}):
        with pytest.raises(RecipeError, match=next(iter(params))):
            probe.fit(ToyRun(folder, BERT, params))


def test_no_weights_no_training(head, folder, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(folder / "nothing"))
    with pytest.raises(Refused, match="--model bert-base-cased=PATH"):
        head.fit(ToyRun(folder, CATALOGUE["bert-base-cased"]))


def test_a_broken_folder_is_one_message(head, folder, built):
    import shutil

    broken = folder / "broken"
    shutil.copytree(built["tiny-bert"], broken)
    (broken / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0garbage!")
    model = Model(name="broken", family="encoder", path=str(broken))
    with pytest.raises(ModelError, match="no safetensors can be read there"):
        head.fit(ToyRun(folder, model))


# --- the models made from the texts -------------------------------------------------------------


def test_tiny_models_are_small_plain_folders(built):
    from transformers import AutoConfig, AutoTokenizer

    for name, path in built.items():
        assert needs.parameters(local_model(f"x={path}")) < 3e6, name
        assert AutoConfig.from_pretrained(path).model_type == name.removeprefix("tiny-")
        tokenizer = AutoTokenizer.from_pretrained(path)
        for text in ("friend lunch now", "今天 球队 进球!"):
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            assert tokenizer.decode(ids).replace(" ", "") == text.replace(" ", "")
    qwen = AutoConfig.from_pretrained(built["tiny-qwen3"])
    assert qwen.num_key_value_heads < qwen.num_attention_heads


def test_tiny_bert_splits_chinese_characters(built):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(built["tiny-bert"])
    assert tokenizer.tokenize("今天球队") == ["今", "天", "球", "队"]


def test_tiny_models_are_kept_and_their_cost_with_them(folder):
    first, second, other = (ToyRun(folder, QWEN) for _ in range(3))
    other.fingerprint = "other-rows"
    path = tiny.folder(first)
    assert first.saved_seconds == 0
    weights = (path / "model.safetensors").read_bytes()
    assert tiny.folder(second) == path
    seconds = json.loads((path / "build.json").read_text())["seconds"]
    assert second.saved_seconds == seconds > 0
    again = tiny.folder(other)
    assert again != path
    assert (again / "model.safetensors").read_bytes() == weights
    assert {p.name for p in (folder / "cache" / "models").iterdir()} == {path.name, again.name}


def test_an_unwritable_cache_does_not_stop_a_trial(folder, monkeypatch):
    (folder / "file").write_text("")
    monkeypatch.setenv("SUITE_CACHE", str(folder / "file"))
    run = ToyRun(folder, BERT)
    assert tiny.folder(run).is_relative_to(run.folder)
    assert (tiny.folder(run) / "model.safetensors").is_file()


def test_the_chat_template_speaks_as_qwen3_does(built):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(built["tiny-qwen3"])
    asked = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]

    def prompt(messages, **options):
        return tokenizer.apply_chat_template(messages, tokenize=False, **options)

    start = "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n"
    opening = start + "<|im_start|>assistant\n"
    assert prompt(asked, add_generation_prompt=True) == opening
    assert prompt(asked, add_generation_prompt=True, enable_thinking=True) == opening
    assert (
        prompt(asked, add_generation_prompt=True, enable_thinking=False)
        == opening + "<think>\n\n</think>\n\n"
    )
    answered = [*asked, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nA"}]
    assert prompt(answered) == opening + "<think>\nhm\n</think>\n\nA<|im_end|>\n"
    plain = [*asked, {"role": "assistant", "content": "A"}]
    assert prompt(plain) == opening + "<think>\n\n</think>\n\nA<|im_end|>\n"
    later = [*answered, {"role": "user", "content": "R"}]
    assert prompt(later) == opening + "A<|im_end|>\n<|im_start|>user\nR<|im_end|>\n"
    assert tokenizer.pad_token == "<|endoftext|>"
    assert tokenizer.eos_token == "<|im_end|>"
    assert len(tokenizer("<think>", add_special_tokens=False)["input_ids"]) == 1


# --- linear_head -----------------------------------------------------------------------------


@pytest.mark.parametrize("model", [BERT, QWEN], ids=lambda m: m.name)
def test_a_head_learns_saves_and_loads(head, folder, model, capfd):
    run = ToyRun(folder, model, QUICK, epochs=4.0, train=rows(150))
    predictor = head.fit(run)
    assert accuracy(predictor) > 0.9  # chance is 1/3
    assert run.fractions == [0.5, 1.0]
    assert run.progressed[-1] == 1.0
    assert run.notes["steps"] == -(-4 * 150 // 16)
    assert run.notes["truncated"] < 0.5
    kept = folder / "kept"
    strategies.save_predictor(predictor, "linear_head", kept)
    loaded = strategies.load_predictor(kept)
    texts = rows(20, seed=3).texts
    np.testing.assert_allclose(
        loaded.predict_proba(texts), predictor.predict_proba(texts), atol=1e-6
    )
    assert loaded.serving_shape == predictor.serving_shape
    kind = model.name.removeprefix("tiny-")
    assert predictor.serving_shape.startswith(f"linear_head|{kind}|")
    assert predictor.serving_shape.endswith("|32|float32|3")
    assert not [p for p in kept.iterdir() if p.suffix not in (".json", ".safetensors", ".jinja")]
    config = json.loads((kept / "config.json").read_text())
    assert config["id2label"] == {"0": "ham", "1": "spam", "2": "sport"}
    assert config["pad_token_id"] is not None
    assert capfd.readouterr() == ("", "")
    assert {p.name for p in folder.iterdir()} == {"scratch", "cache", "kept"}


def test_the_same_seed_gives_the_same_model(head, folder):
    texts = rows(10, seed=5).texts
    first, second, other = (
        head.fit(ToyRun(folder, BERT, QUICK, seed=seed, checkpoints=count)).predict_proba(texts)
        for seed, count in ((0, 2), (0, 5), (1, 2))
    )
    np.testing.assert_array_equal(first, second)  # However often it is scored on the way.
    assert np.abs(first - other).max() > 1e-4


@pytest.mark.parametrize("model", [BERT, QWEN], ids=lambda m: m.name)
@pytest.mark.parametrize("name", ["linear_head", "probe"])
def test_a_text_scores_the_same_alone_and_among_longer_ones(name, model, folder):
    params = QUICK if name == "linear_head" else {"scaling": "standard"}
    predictor = strategies.get(name).fit(ToyRun(folder, model, params))
    texts = [
        "friend",
        "click [PAD] now",
        "click <|endoftext|>",
        "<|endoftext|>",
        "[PAD]",
        "",
        "   ",
        "lunch friend garden " * 5,
        "prize " * 500,
    ]
    together = predictor.predict_proba(texts)
    alone = np.concatenate([predictor.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    assert together.dtype == np.float32
    assert predictor.predict_proba([]).shape == (0, 3)
    # A spelled-out pad token is text: it makes a difference to what stands before it.
    assert np.abs(alone[2] - predictor.predict_proba(["click"])[0]).max() > 1e-6


@pytest.mark.parametrize("model", [BERT, QWEN], ids=lambda m: m.name)
def test_lora_is_merged_into_a_plain_folder(head, folder, model):
    from transformers import AutoModelForSequenceClassification

    texts = rows(20, seed=3).texts
    live = {}

    def keep(predictor, fraction):
        strategies.save_predictor(predictor, "linear_head", folder / f"kept-{fraction}")
        live[fraction] = predictor.predict_proba(texts)

    run = ToyRun(folder, model, {**QUICK, "tuning": "lora", "lora_rank": 4}, on_checkpoint=keep)
    predictor = head.fit(run)
    for fraction in (0.5, 1.0):
        loaded = strategies.load_predictor(folder / f"kept-{fraction}")
        np.testing.assert_allclose(loaded.predict_proba(texts), live[fraction], atol=1e-5)
    np.testing.assert_allclose(predictor.predict_proba(texts), live[1.0], atol=1e-5)
    assert predictor.serving_shape == loaded.serving_shape
    assert np.abs(live[0.5] - live[1.0]).max() > 1e-4
    plain = AutoModelForSequenceClassification.from_pretrained(folder / "kept-1.0")
    assert "lora" not in " ".join(plain.state_dict())
    base = AutoModelForSequenceClassification.from_pretrained(
        next((folder / "cache" / "models").iterdir()), num_labels=3
    )
    changed = [
        name
        for name, weight in base.base_model.state_dict().items()
        if not weight.equal(plain.base_model.state_dict()[name])
    ]
    assert any("0" in name and name.endswith("weight") for name in changed)
    assert not any("embed" in name for name in changed)


def test_lora_takes_a_head_of_several_layers(head, folder, built):
    from transformers import AutoTokenizer, DistilBertConfig, DistilBertForMaskedLM

    tokenizer = AutoTokenizer.from_pretrained(built["tiny-bert"])
    config = DistilBertConfig(
        vocab_size=len(tokenizer), dim=32, n_layers=1, n_heads=2, hidden_dim=32
    )
    path = folder / "distilbert"
    DistilBertForMaskedLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    model = local_model(f"distilbert={path}")
    run = ToyRun(folder, model, {**QUICK, "tuning": "lora"}, epochs=0.5)
    predictor = head.fit(run)
    strategies.save_predictor(predictor, "linear_head", folder / "kept")
    texts = rows(5).texts
    loaded = strategies.load_predictor(folder / "kept")
    np.testing.assert_allclose(
        loaded.predict_proba(texts), predictor.predict_proba(texts), atol=1e-5
    )


def test_a_checkpoint_is_a_live_view_and_training_goes_on_unharmed(head, folder):
    modes = []

    def keep(predictor, fraction):
        predictor.predict_proba(["friend"])
        modes.append(predictor.model.training)
        if fraction == 0.5:
            strategies.save_predictor(predictor, "linear_head", folder / "half")

    predictor = head.fit(ToyRun(folder, BERT, QUICK, on_checkpoint=keep))
    assert modes == [True, True]
    assert not predictor.model.training
    half = strategies.load_predictor(folder / "half")
    texts = rows(10, seed=5).texts
    assert np.abs(half.predict_proba(texts) - predictor.predict_proba(texts)).max() > 1e-3


def test_pruned_comes_out_of_training(head, folder):
    def stop(predictor, fraction):
        raise Pruned

    run = ToyRun(folder, BERT, QUICK, on_checkpoint=stop, checkpoints=4)
    with pytest.raises(Pruned):
        head.fit(run)
    assert run.fractions == [0.25]


def test_out_of_memory_halves_the_batch_and_changes_nothing_else(head, folder, monkeypatch):
    import torch

    from suite.strategies.heads import head_training

    texts = rows(10, seed=5).texts
    whole = head.fit(ToyRun(folder, QWEN, QUICK)).predict_proba(texts)
    plain = head_training._Loss.__call__

    def short_of_memory(self, logits, labels, texts):
        if len(labels) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return plain(self, logits, labels, texts)

    monkeypatch.setattr(head_training._Loss, "__call__", short_of_memory)
    run = ToyRun(folder, QWEN, QUICK)
    parts = head.fit(run).predict_proba(texts)
    assert run.notes["tokens_at_once"] < 40  # of 16 texts of about 5 tokens, five at most
    assert run.notes["batch"] == 16
    assert "out of memory" in run.notes["memory_ran_out"]
    assert run.fractions == [0.5, 1.0]
    np.testing.assert_allclose(parts, whole, atol=2e-3)
    with pytest.raises(OutOfMemory, match="shrink_batch: true"):
        head.fit(ToyRun(folder, QWEN, QUICK, shrink_batch=False))


def test_memory_lost_after_a_checkpoint_reports_no_fraction_twice(head, folder, monkeypatch):
    from suite.strategies.heads import head_training

    plain = head_training._Loss.__call__

    def once(self, logits, labels, texts):
        if self.watch.step == 8 and len(labels) > 8:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return plain(self, logits, labels, texts)

    monkeypatch.setattr(head_training._Loss, "__call__", once)
    run = ToyRun(folder, BERT, QUICK)
    head.fit(run)
    assert run.fractions == [0.5, 1.0]
    assert "can't allocate memory" in run.notes["memory_ran_out"]


def test_a_single_text_that_does_not_fit_gives_up_with_advice(head, folder, monkeypatch):
    from suite.strategies.heads import head_training

    def never(self, logits, labels, texts):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(head_training._Loss, "__call__", never)
    with pytest.raises(OutOfMemory, match=r"single text.*smaller"):
        head.fit(ToyRun(folder, BERT, {**QUICK, "batch": 4}))


def test_a_cpu_short_of_memory_starts_with_a_part_of_the_batch(head, folder, monkeypatch):
    monkeypatch.setattr(facts, "usable_memory", lambda: 4_000_000)
    monkeypatch.setattr(needs, "too_large", lambda *a: None)
    run = ToyRun(folder, BERT, QUICK, epochs=0.2)
    head.fit(run)
    # 2 layers × 128 wide × 40 numbers × 4 bytes: about 41 kB a token, 2 MB of room.
    assert 40 <= run.notes["tokens_at_once"] <= 48
    assert run.notes["batch"] == 16


def test_a_loss_that_is_not_finite_stops_with_advice(head, folder):
    from suite.strategies.network.transformer import Diverged

    params = {**QUICK, "learning_rate": 1e30, "max_grad_norm": 0.0, "warmup": 0.0}
    with pytest.raises(Diverged, match=r"the loss became (nan|inf) at step \d+: lower learning"):
        head.fit(ToyRun(folder, BERT, params))


def test_marks_are_equal_fractions_that_end_at_one():
    from suite.strategies.network.loop import marks

    assert marks(10, 5) == {2: 0.2, 4: 0.4, 6: 0.6, 8: 0.8, 10: 1.0}
    assert marks(3, 5) == {1: 0.2, 2: 0.6, 3: 1.0}
    assert marks(1, 3) == {1: 1.0}


def test_parts_of_a_batch_divide_it():
    from suite.strategies.network.shrinking import lesser_divisor

    tried = ((32, 32), (24, 24), (10, 10), (5, 10), (7, 7))
    assert [lesser_divisor(*each) for each in tried] == [16, 12, 5, 2, 1]


def test_the_loss_of_parts_adds_up_to_the_loss_of_the_whole():
    import torch

    from suite.strategies.heads.head_training import _Loss
    from suite.strategies.network.soft_loss import LossBalance

    logits = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    labels = torch.tensor([0, 1, 1])
    loss = _Loss(LossBalance(torch.tensor([0.5, 2.0]), torch.zeros(2)), 0.0, None)
    whole = loss(logits, labels, 3)
    parts = loss(logits[:2], labels[:2], 3) + loss(logits[2:], labels[2:], 3)
    # -log softmax: .3133, .1269, 3.0486, weighted .5, 2, 2, over three texts.
    assert whole.item() == pytest.approx((0.5 * 0.3133 + 2 * 0.1269 + 2 * 3.0486) / 3, abs=1e-3)
    assert parts.item() == pytest.approx(whole.item())


def test_balanced_weights_raise_the_rare_class(head, folder):
    few = rows(120)
    kept = [i for i in range(120) if few.labels[i] == 0 or i % 20 == 1]
    train = few.take(kept)
    chances = {}
    for weighting in ("none", "balanced"):
        run = ToyRun(folder, BERT, QUICK, train=train, epochs=1.0, fingerprint="rare")
        run.task = task(class_weights=weighting)
        chances[weighting] = head.fit(run).predict_proba(rows(30, 3).texts)[:, 1].mean()
    assert chances["balanced"] > chances["none"] + 0.05


def test_bfloat16_serves_exactly_what_training_saw(built):
    import torch
    import transformers

    from suite.strategies.network import transformer

    path = built["tiny-bert"]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(path, num_labels=3)
    codec = transformer.load_codec(Source(str(path)), model.config, 32)
    cpu = torch.device("cpu")
    predictor = transformer.TransformerPredictor(
        model, codec, where=cpu, precision="bfloat16", strategy="linear_head"
    )
    texts = rows(10).texts
    before = predictor.predict_proba(texts)
    transformer.freeze(model, "bfloat16")
    np.testing.assert_array_equal(predictor.predict_proba(texts), before)
    assert transformer.precision_for(cpu, 128) == "float32"


def test_scoring_halves_its_batch_when_memory_runs_out(built):
    import torch
    import transformers

    from suite.strategies.network import transformer

    path = built["tiny-qwen3"]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(path, num_labels=3)
    codec = transformer.load_codec(Source(str(path)), model.config, 32)
    predictor = transformer.TransformerPredictor(
        model, codec, where=torch.device("cpu"), precision="float32", strategy="linear_head"
    )
    texts = rows(10).texts
    before = predictor.predict_proba(texts)
    forward = predictor.classifier._packed

    def short_of_memory(packed, begun):
        if len(packed.lengths) > 4:
            raise torch.OutOfMemoryError("out of memory")
        return forward(packed, begun)

    predictor.classifier._packed = short_of_memory
    np.testing.assert_allclose(predictor.predict_proba(texts), before, atol=1e-5)
    assert predictor.batch == 4  # halved from 64 until it fits


def test_a_probe_embeds_fewer_tokens_at_once_where_memory_runs_out(folder, monkeypatch):
    from suite.strategies.network import feeding

    probe = strategies.get("probe")
    texts = rows(10, seed=5).texts
    whole = probe.fit(ToyRun(folder, BERT, {})).predict_proba(texts)
    plain, sizes = feeding.Encoder.__call__, []

    def short(self, batch, ways):
        ids = batch.inputs.ids
        sizes.append(len(ids))
        if len(ids) > 40:
            raise MemoryError("Unable to allocate 2 GiB")
        return plain(self, batch, ways)

    monkeypatch.setattr(feeding.Encoder, "__call__", short)
    run = ToyRun(folder, BERT, {}, fingerprint="short")
    found = probe.fit(run)
    # Sums in another order, and a regression that ends where it is good enough.
    np.testing.assert_allclose(found.predict_proba(texts), whole, atol=1e-3)
    assert sizes[-1] <= 40 < sizes[0]
    sizes.clear()
    killed = ToyRun(folder, BERT, {}, fingerprint="killed", halvings=5)
    probe.fit(killed)
    assert sizes[0] <= 40 and killed.notes["tokens_at_once"] < 60
    with pytest.raises(OutOfMemory, match=r"single text.*max_tokens"):
        probe.fit(ToyRun(folder, BERT, {}, fingerprint="never", halvings=20))
    assert strategies.shrinks("probe", BERT)


def test_the_token_limit_is_the_least_of_all(built):
    from transformers import AutoConfig, RobertaConfig

    from suite.strategies.network import transformer

    source = Source(str(built["tiny-bert"]))
    config = AutoConfig.from_pretrained(source.where)
    assert transformer.load_codec(source, config, 4096, None).max_tokens == 512
    assert transformer.load_codec(source, config, 4096, 100).max_tokens == 100
    codec = transformer.load_codec(source, config, 8)
    encoded = codec.encode(["friend lunch", "lunch friend garden music river kind deal"])
    assert [len(ids) for ids in encoded.ids] == [4, 8]
    assert encoded.cut == 1
    assert encoded.ids[1][-1] == codec.tokenizer.sep_token_id
    roberta = RobertaConfig(max_position_embeddings=514, pad_token_id=1)
    assert transformer.load_codec(source, roberta, None).max_tokens == 512


# --- probe -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [BERT, QWEN], ids=lambda m: m.name)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_probe_learns_saves_and_loads(probe, folder, model, classes):
    run = ToyRun(folder, model, {"C": 10.0, "scaling": "standard", "pooling": "mean"})
    run.task, run.train = task(classes), rows(120, classes=classes)
    predictor = probe.fit(run)
    assert run.fractions == [1.0]
    assert run.notes["converged"]
    unseen = rows(40, 1, classes)
    before = predictor.predict_proba(unseen.texts)
    assert before.shape == (40, classes)
    assert (before.argmax(axis=1) == unseen.labels).mean() > 0.7  # a guess: 1 in `classes`
    strategies.save_predictor(predictor, "probe", folder / "kept")
    loaded = strategies.load_predictor(folder / "kept")
    np.testing.assert_allclose(loaded.predict_proba(unseen.texts), before, atol=1e-5)
    assert loaded.serving_shape == predictor.serving_shape


def test_a_probe_agrees_with_scikit_learn(probe, folder):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    run = ToyRun(folder, BERT, {"C": 0.5, "scaling": "standard", "pooling": "cls"})
    predictor = probe.fit(run)
    embedder = predictor.embedder

    def embedded(texts):
        return embedder.embed(embedder.codec.encode(texts).ids, ["cls"])["cls"]

    scaler = StandardScaler().fit(embedded(run.train.texts))
    theirs = LogisticRegression(C=0.5, max_iter=2000).fit(
        scaler.transform(embedded(run.train.texts)), run.train.labels
    )
    texts = rows(20, 4).texts
    np.testing.assert_allclose(
        predictor.predict_proba(texts),
        theirs.predict_proba(scaler.transform(embedded(texts))),
        atol=2e-3,
    )


def test_a_relative_c_means_the_same_whatever_the_length_of_embeddings():
    from types import SimpleNamespace

    from suite.strategies.heads import regression

    draws = np.random.default_rng(0)
    labels = draws.integers(0, 3, 120)
    matrix = (draws.normal(size=(120, 8)) + 2 * np.eye(8)[labels]).astype(np.float32)
    run = SimpleNamespace(
        task=task(3),
        params={},
        train=SimpleNamespace(labels=labels.tolist(), soft=None),
        seed=0,
        note=lambda **of: None,
    )

    def answers(matrix, scaling, relative, C=1.0):
        head = regression.fit(matrix, run, C=C, scaling=scaling, relative=relative)
        return head.logits(matrix, scaling)

    long = answers(10 * matrix, "none", True)
    np.testing.assert_allclose(answers(matrix, "none", True), long, atol=1e-2)
    assert np.abs(answers(matrix, "none", False) - answers(10 * matrix, "none", False)).max() > 0.1
    length = float(np.square(matrix).sum(axis=1).mean())
    same = answers(matrix, "none", False, C=1.0 / length)
    np.testing.assert_allclose(answers(matrix, "none", True), same, atol=1e-5)


def test_embeddings_are_made_once_and_charged_every_time(probe, folder):
    first = ToyRun(folder, BERT, {"C": 1.0, "pooling": "mean", "scaling": "l2"})
    again = ToyRun(folder, BERT, {"C": 1.0, "pooling": "mean", "scaling": "l2"})
    other = ToyRun(folder, BERT, {"C": 0.1, "pooling": "cls", "scaling": "none"})
    changed = ToyRun(folder, BERT, {"C": 1.0, "scaling": "l2"}, fingerprint="changed")
    texts = rows(10, 3).texts
    made, found = (probe.fit(run).predict_proba(texts) for run in (first, again))
    probe.fit(other)
    probe.fit(changed)
    notes = [run.notes["embeddings"] for run in (first, again, other, changed)]
    assert notes == ["made", "cached", "cached", "made"]
    np.testing.assert_array_equal(made, found)
    built = json.loads(next((folder / "cache" / "models").glob("*/build.json")).read_text())
    assert first.saved_seconds == 0
    assert again.saved_seconds > built["seconds"]
    assert again.notes["truncated"] == first.notes["truncated"]


def test_a_damaged_cache_is_made_again(probe, folder):
    probe.fit(ToyRun(folder, BERT))
    file = next((folder / "cache" / "embeddings").iterdir())
    file.write_bytes(file.read_bytes()[:100])
    run = ToyRun(folder, BERT)
    probe.fit(run)
    assert run.notes["embeddings"] == "made"


def test_a_class_without_rows_gets_no_probability(probe, folder):
    train = rows(90)
    run = ToyRun(folder, BERT, train=train.take([i for i in range(90) if train.labels[i] != 1]))
    chances = probe.fit(run).predict_proba(rows(12).texts)
    assert chances[:, 1].max() == 0
    assert chances[:, [0, 2]].max(axis=1).min() > 0.5


def test_poolings_follow_the_model(tmp_path):
    from suite.strategies.heads.probe import poolings

    assert poolings(BERT) == ("mean", "cls")
    assert poolings(QWEN) == ("last", "mean")
    assert poolings(CATALOGUE["minilm"]) == ("mean",)
    (tmp_path / "modules.json").write_text("[]")
    assert poolings(Model(name="s", family="encoder", path=str(tmp_path))) == ("mean",)


def test_padding_never_enters_a_pooling():
    import torch

    from suite.strategies.network.feeding import _pool_padded

    hidden = torch.tensor([[[1.0], [3.0], [99.0]], [[2.0], [4.0], [6.0]]])
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    assert _pool_padded(hidden, mask, "mean").tolist() == [[2.0], [4.0]]
    assert _pool_padded(hidden, mask, "last").tolist() == [[3.0], [6.0]]
    assert _pool_padded(hidden, mask, "cls").tolist() == [[1.0], [2.0]]


def test_a_folder_that_is_no_predictor_is_one_message(folder):
    (folder / "kept").mkdir()
    (folder / "kept" / "predictor.json").write_text('{"strategy": "probe"}')
    with pytest.raises(ModelError, match=r"settings\.json: can't be read: it is missing"):
        strategies.load_predictor(folder / "kept")
