"""Weights, tokenizers and exported folders that are not what they should be, told before use."""

import json
import os
import shutil

import numpy as np
import pytest
from remembering_run import RememberingRun
from typer.testing import CliRunner

from suite import strategies
from suite.cli import app
from suite.contracts.model import Model
from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.errors import ModelError, SuiteError, WeightsError
from suite.handover.export import read_exported
from suite.models import checkpoint
from suite.models.catalogue import local_model
from suite.serving.engines import kept as kept_files

WORDS = "goal match player bank stock market chip phone network".split()
TEXTS = ["goal match", "", "stock market bank chip"]

pytestmark = pytest.mark.usefixtures("one_thread")


def tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate([*names, *WORDS])}, unk_token="[UNK]")
    )
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip


def toy_task():
    return Task.model_validate(
        {
            "name": "toy", "title": "Toy", "language": "en", "max_tokens": 16,
            "labels": [{"name": name} for name in ("sport", "money", "tech")],
            "data": {"folder": "data", "licence": "made for the tests"},
        }
    )  # fmt: skip


SIZES = {
    "vocab_size": 14,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 32,
    "pad_token_id": 0,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folders of tiny models."""
    import torch
    import transformers as t

    torch.manual_seed(0)
    home = tmp_path_factory.mktemp("made")
    bert, llama = t.BertConfig(**SIZES), t.LlamaConfig(**SIZES, num_key_value_heads=1)
    tied = t.LlamaConfig(**SIZES, num_key_value_heads=1, tie_word_embeddings=True)
    for name, model in (
        ("masked", t.BertForMaskedLM(bert)),
        ("five", t.BertForSequenceClassification(t.BertConfig(**SIZES, num_labels=5))),
        ("llama", t.LlamaForCausalLM(llama)),
        (
            "tied",
            t.LlamaForCausalLM(tied),
        ),
        ("judge", t.LlamaForSequenceClassification(llama)),
    ):
        model.save_pretrained(home / name)
        tokenizer().save_pretrained(home / name)
    return home


@pytest.fixture
def copy(made, tmp_path):
    """A copy of a made folder, to be damaged."""

    def copied(name="masked"):
        return shutil.copytree(made / name, tmp_path / f"a-{name}")

    return copied


def rewrite(folder, change, file="model.safetensors"):
    """Writes weights anew after `change` has been at them (a dict of tensors)."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / file)
    save_file(change(tensors) or tensors, folder / file, {"format": "pt"})
    return folder


def load(use, folder, **how):
    from suite.strategies.network import weights
    from suite.strategies.network.sources import Source

    return weights.load(use, Source(str(folder)), **how)


def codec(folder):
    from suite.strategies.network import transformer
    from suite.strategies.network.sources import Source

    source = Source(str(folder))
    return transformer.load_codec(source, transformer.load_config(source))


# --- names, shapes, numbers -----------------------------------------------------------------------

LAYER = "bert.encoder.layer.1.output.dense.weight"


def put(name, value):
    def change(tensors):
        tensors[name] = value(tensors[name])

    return change


def renamed(form):
    return lambda tensors: {form.format(name): tensor for name, tensor in tensors.items()}


def without(part):
    return lambda tensors: {n: t for n, t in tensors.items() if part not in n}


def first(number):
    def value(tensor):
        tensor.view(-1)[0] = number
        return tensor

    return value


def deeper(tensors):
    return tensors | {n.replace("layer.1", "layer.2"): t + 0 for n, t in tensors.items()}


@pytest.mark.parametrize("use", ["body", "classifier"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (renamed("module.{}"), r"is missing, and 'module\.bert\.\S+' is used nowhere"),
        (renamed("{}_x"), r"is missing, and '\S+_x' is used nowhere"),
        (renamed("model.{}"), "is used nowhere"),
        (without("layer.1"), r"16 tensors it needs are missing: '\S*encoder\.layer\.1"),
        (without(LAYER), r"1 tensor it needs is missing: '\S*layer\.1\.output\.dense\.weight'"),
        (put(LAYER, lambda t: t[:-1].contiguous()), r"is 7×16 in the weights and 8×16 by config"),
        (put(LAYER, lambda t: t.T.contiguous()), "is 16×8 in the weights and 8×16"),
        (deeper, r"hold 16 tensors it has no place for: '\S*layer\.2"),
        (put(LAYER, lambda t: t.long()), f"'{LAYER}' holds I64"),
        (put(LAYER, lambda t: t.bool()), "holds BOOL"),
        (put(LAYER, lambda t: t.to(__import__("torch").float8_e4m3fn)), "holds F8_E4M3"),
        (put(LAYER, first(float("nan"))), r"NaN or infinity\), in '\S*layer\.1\.output"),
        (put(LAYER, first(float("-inf"))), "NaN or infinity"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_weights_that_do_not_fit_are_refused_by_name(copy, use, change, said):
    with pytest.raises(WeightsError, match=said) as caught:
        load(use, rewrite(copy(), change))
    assert caught.value.where.endswith("a-masked")


def test_a_pooler_under_another_name_is_not_drawn_anew(copy):
    folder = rewrite(
        copy("five"),
        lambda tensors: {
            (f"module.{n}" if "pooler" in n else n): t for n, t in tensors.items()
        },
    )  # fmt: skip
    with pytest.raises(WeightsError, match=r"'module\.bert\.pooler\S+' is used nowhere"):
        load("classifier", folder)


def test_heads_poolers_and_tied_weights_are_new_or_ignored_and_told(made):
    loaded = load("classifier", made / "masked", num_labels=3)
    assert loaded.notes == {
        "weights_new": "bert.pooler.dense, classifier",
        "weights_ignored": "cls.predictions, cls.predictions.transform.LayerNorm, "
        "cls.predictions.transform.dense",
    }
    five = load("classifier", made / "five", num_labels=3)  # 5 classes there
    assert five.notes == {"weights_new": "classifier"}
    assert five.model.classifier.weight.shape == (3, 8)
    assert load("body", made / "five").notes == {"weights_ignored": "classifier"}
    assert load("language model", made / "tied").notes == {}
    assert load("classifier", made / "llama").ignored == ("lm_head",)


def test_a_language_model_without_its_outputs_is_none(made):
    with pytest.raises(WeightsError, match=r"missing: 'lm_head\.weight'"):
        load("language model", made / "judge")


def test_drawing_a_head_is_not_changed_by_the_check(made):
    import torch
    import transformers

    drawn = []
    for checked in (True, False):
        torch.manual_seed(5)
        if checked:
            drawn.append(load("classifier", made / "masked").model)
        else:
            auto = transformers.AutoModelForSequenceClassification
            drawn.append(auto.from_pretrained(made / "masked"))
    assert drawn[0].classifier.weight.equal(drawn[1].classifier.weight)


def test_of_a_kept_model_nothing_may_be_new(made):
    with pytest.raises(WeightsError, match="missing"):
        load("classifier", made / "masked", kept=True)
    assert load("classifier", made / "five", kept=True).notes == {}


# --- tokenizers -----------------------------------------------------------------------------------


def test_a_folder_without_a_tokenizer_is_refused(copy):
    folder = copy()
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="has no tokenizer"):
        local_model(f"mine={folder}")
    with pytest.raises(WeightsError, match="has no tokenizer"):
        codec(folder)


def test_more_tokens_than_rows_of_the_embedding_are_refused_with_both_sizes(copy):
    folder, grown = copy(), tokenizer()
    grown.add_tokens(["ball", "rate"])
    grown.save_pretrained(folder)
    with pytest.raises(WeightsError, match="has 16 tokens and the model's embedding 14 rows"):
        codec(folder)


def test_a_vocabulary_that_reads_no_word_is_refused(copy):
    folder = copy()
    file = folder / "tokenizer.json"
    stored = json.loads(file.read_text())
    stored["model"]["vocab"] = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
    file.write_text(json.dumps(stored))
    with pytest.raises(WeightsError, match="knows no word"):
        codec(folder)


@pytest.mark.parametrize("strategy", ["probe", "linear_head"])
def test_texts_of_unknown_words_alone_are_refused(made, tmp_path, monkeypatch, strategy):
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    rows = Rows(("alpha beta", "gamma"), (0, 1))
    run = RememberingRun(tmp_path, local_model(f"mine={made / 'masked'}"), toy_task(), rows)
    with pytest.raises(WeightsError, match="knows no word of the 2 training texts"):
        strategies.get(strategy).fit(run)


# --- folders --------------------------------------------------------------------------------------


def config(folder, **changes):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def shards(folder, **where):
    """An index over `model.safetensors` under another name, with tensors elsewhere."""
    file = folder / "model-00001-of-00001.safetensors"
    (folder / "model.safetensors").rename(file)
    names = dict.fromkeys(dict(checkpoint._header(file)), file.name)
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": {n: where.get("all", f) for n, f in names.items()}
        | where.get("some", {})})
    )  # fmt: skip


def pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    (folder / "extra.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")


def beyond(folder):
    shards(folder)
    file = folder / "model.safetensors.index.json"
    index = json.loads(file.read_text())
    index["weight_map"].pop(LAYER)
    file.write_text(json.dumps(index))


def fifo(folder):
    (folder / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (pickled, "has only pickled weights .*whatever lies beside them"),
        (lambda f: shards(f, all="../x.safetensors"), "is no safetensors file of this folder"),
        (lambda f: shards(f, some={LAYER: "/etc/passwd"}), "is no safetensors file of this"),
        (lambda f: shards(f, some={LAYER: ["x"]}), "is no safetensors file of this folder"),
        (lambda f: shards(f, some={LAYER: "b.safetensors"}), "which is not there: 1 tensor of"),
        (lambda f: shards(f, some={"x": "model-00001-of-00001.safetensors"}), "which has none"),
        (beyond, "which is not said to be there"),
        (fifo, "has no weights"),
        (lambda f: (f / "model.safetensors").unlink(), "has no weights"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 99), "no safetensors can be"),
        (lambda f: (f / "adapter_config.json").write_text("{}"), "other weights would be loaded"),
        (lambda f: config(f, transformers_weights="../x.safetensors"), "names other weights"),
        (lambda f: config(f, attn_implementation="owner/kernel"), "code of others"),
        (lambda f: config(f, auto_map={"AutoModel": "x.Y"}), "code of its own"),
        (lambda f: config(f, quantization_config={"quant_method": "gptq"}), "are quantised"),
        (lambda f: config(f, num_hidden_layers=10**9), "num_hidden_layers: 1,000,000,000"),
        (lambda f: config(f, model_type="t5", is_encoder_decoder=True), "encoder with a decoder"),
        (lambda f: (f / "config.json").write_text("[" * 60_000), "nested deeper than 200"),
        (lambda f: (f / "config.json").write_text("[]"), "holds no object"),
    ],
)  # fmt: skip
def test_folders_that_would_not_be_loaded_as_they_seem_are_refused(copy, damage, said):
    folder = copy()
    damage(folder)
    with pytest.raises(ModelError, match=said):
        local_model(f"mine={folder}")
    with pytest.raises(ModelError, match=said) as caught:
        checkpoint.check(folder)
    assert str(folder) in str(caught.value)


def test_whole_shards_are_loaded(copy):
    folder = copy()
    shards(folder)
    assert load("body", folder).new == ("pooler.dense",)


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 10**9}, {"vocab_size": 10**15}, {"max_position_embeddings": 10**12},
        {"num_attention_heads": 0}, {"num_hidden_layers": "x"}, {"num_hidden_layers": -3},
        {"model_type": "nonesuch"}, {"hidden_act": "nonesuch"}, {"num_hidden_layers": 1},
        {"hidden_size": None}, {"vocab_size": [1]},
    ],
)  # fmt: skip
def test_a_damaged_config_is_one_message(copy, changes):
    folder = copy()
    config(folder, **changes)
    with pytest.raises(WeightsError):
        load("body", folder)


def test_model_check_tries_what_a_study_would(copy, made):
    run = CliRunner().invoke
    good = run(app, ["model", "check", f"mine={made / 'masked'}"])
    assert good.exit_code == 0, good.output
    assert "probe\tyes\tnew: pooler.dense; ignored: cls.predictions" in good.output
    judge = run(app, ["model", "check", f"mine={made / 'five'}"])
    assert judge.exit_code == 0
    assert (
        "linear_head\tyes\tits head of 5 classes is trained on where a task has as" in judge.output
    )
    broken = rewrite(copy(), renamed("module.{}"))
    bad = run(app, ["model", "check", f"mine={broken}"])
    assert bad.exit_code == 2
    assert "is used nowhere" in " ".join(bad.output.split())


# --- exported folders -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(made, tmp_path_factory):
    """Folders as `suite export` writes them, of the strategies that differ in their files."""
    import torch

    from suite.strategies.network.transformer import TransformerPredictor

    home = tmp_path_factory.mktemp("exported")
    task = toy_task()
    texts = tuple(" ".join(WORDS[i % 3 * 3 : i % 3 * 3 + 3]) for i in range(30))
    rows = Rows(texts, tuple(i % 3 for i in range(30)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUITE_CACHE", str(home / "cache"))
        for name in ("tfidf", "fasttext", "textcnn", "probe"):
            classic = name != "probe"
            model = (
                Model(name=name, family="classic", builder=name)
                if classic
                else local_model(f"mine={made / 'masked'}")
            )
            run = RememberingRun(home, model, task, rows, fingerprint=name)
            strategy = "classic" if classic else name
            predictor = strategies.get(strategy).fit(run)
            strategies.save_predictor(predictor, strategy, home / name)
    classifier = load("classifier", made / "masked", num_labels=3).model.eval()
    cpu = torch.device("cpu")
    predictor = TransformerPredictor(
        classifier, codec(made / "masked"), where=cpu, precision="float32", strategy="linear_head"
    )
    strategies.save_predictor(predictor, "linear_head", home / "linear_head")
    for name in ("tfidf", "fasttext", "textcnn", "probe", "linear_head"):
        described = {
            "schema_version": 1,
            "labels": [{"name": n, "shown": n} for n in task.label_names],
            "language": "en", "task": "toy", "study": "toy", "arm": f"{name}/x", "trial": 0,
        }  # fmt: skip
        (home / name / "labels.json").write_text(json.dumps(described))
    return home


def answer(folder):
    found = read_exported(folder)
    kept_files.look(folder)
    predictor = strategies.load_predictor(folder, classes=len(found.labels))
    return predictor.predict_proba(TEXTS)


EXPORTED = ("tfidf", "fasttext", "textcnn", "probe", "linear_head")


def edits(document):
    """Damaged copies of a JSON object, each with what was done to it."""
    for key, value in document.items():
        rest = {k: v for k, v in document.items() if k != key}
        yield f"{key} dropped", rest
        yield f"{key} renamed", rest | {f"{key}_x": value}
        for wrong in (None, -1, 10**30, float("nan"), {}, [], [[]], "\ud800"):
            if wrong != value:
                yield f"{key} {wrong!r}", document | {key: wrong}
        if isinstance(value, list) and value:
            yield f"{key} shorter", document | {key: value[:-1]}
            yield f"{key} longer", document | {key: [*value, value[0]]}
        if isinstance(value, dict):
            yield from ((what, document | {key: inner}) for what, inner in edits(value))
    yield "another key", document | {"zz": 1}


@pytest.mark.parametrize("name", EXPORTED)
@pytest.mark.parametrize("file", ["predictor.json", "settings.json", "labels.json"])
def test_a_damaged_file_is_told_and_never_answers_otherwise(exported, tmp_path, name, file):
    folder = shutil.copytree(exported / name, tmp_path / name)
    expected, told = answer(folder), 0
    whole = (folder / file).read_text()
    damaged = [(what, json.dumps(found)) for what, found in edits(json.loads(whole))]
    damaged += [(text[:9], text) for text in ("", "{", "[]", "3", whole[:-2], "[" * 60_000)]
    for what, text in damaged:
        (folder / file).write_text(text)
        try:
            found = answer(folder)
        except SuiteError as error:
            assert str(folder) in str(error), what
            told += 1
        else:  # Harmless, such as an unlike name of the study.
            np.testing.assert_allclose(found, expected, atol=1e-6, err_msg=what)
    assert told > len(damaged) / 2
    (folder / file).unlink()
    (folder / file).mkdir()
    with pytest.raises(SuiteError):
        answer(folder)
    (folder / file).rmdir()
    os.mkfifo(folder / file)
    with pytest.raises(SuiteError, match="no regular file"):
        answer(folder)


ARRAYS = {"tfidf": "coefficients", "fasttext": "output", "textcnn": "output.weight"}


@pytest.mark.parametrize("name", EXPORTED)
def test_damaged_arrays_are_told_by_name(exported, tmp_path, name):
    folder = shutil.copytree(exported / name, tmp_path / name)
    file = {"probe": "lr.safetensors", "linear_head": "model.safetensors"}.get(
        name, "arrays.safetensors"
    )
    array = {"probe": "weight", "linear_head": "classifier.weight"}.get(name) or ARRAYS[name]
    whole = (folder / file).read_bytes()
    changes = (
        without(array),
        renamed("{}_x"),
        lambda tensors: tensors | {"zz": tensors[array] + 0},
        put(array, first(float("nan"))),
        put(array, lambda t: t.long()),
        put(array, lambda t: t[:-1].contiguous()),
        put(array, lambda t: t.reshape(-1)),
    )
    for number, change in enumerate(changes):
        (folder / file).write_bytes(whole)
        rewrite(folder, change, file)
        with pytest.raises(SuiteError, match=r"array|tensor|weights") as caught:
            answer(folder)
        assert str(folder) in str(caught.value), number
    (folder / file).write_bytes(whole[:-5])
    with pytest.raises(SuiteError):
        answer(folder)


def test_more_names_than_the_model_has_classes_are_refused(exported, tmp_path):
    folder = shutil.copytree(exported / "tfidf", tmp_path / "tfidf")
    described = json.loads((folder / "labels.json").read_text())
    described["labels"].append({"name": "law", "shown": "law"})
    (folder / "labels.json").write_text(json.dumps(described))
    with pytest.raises(ModelError, match="tells 3 classes apart, and 4 are named"):
        answer(folder)


def test_answers_that_are_no_probabilities_are_not_served():
    from pathlib import Path

    for row in ([np.nan, 1.0], [-0.5, 1.5], [0.4, 0.4]):
        with pytest.raises(ModelError, match="no probabilities"):
            strategies.refuse_no_probabilities(np.array([row]), Path("m"))
    strategies.refuse_no_probabilities(np.array([[0.25, 0.75], [0.0, 0.0]]), Path("m"))
