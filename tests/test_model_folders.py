"""What a transformers folder can be used for: the catalogue's architectures, and folders astray."""

import json
import shutil

import numpy as np
import pytest
from remembering_run import RememberingRun
from test_weights import load, toy_task
from typer.testing import CliRunner

from suite import strategies
from suite.cli import app
from suite.config.recipe import Recipe
from suite.contracts.strategy import Rows
from suite.errors import WeightsError
from suite.models import folder
from suite.models.catalogue import local_model
from suite.study.arms import plan

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = {
    "vocab_size": 261, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 16, "max_position_embeddings": 999, "pad_token_id": 0, "bos_token_id": 2,
    "eos_token_id": 3,
}  # fmt: skip
#: Kinds whose answers are compared with the model's own.
SCORED = ("modernbert-decoder", "qwen3_5")
GROUPED = SIZES | {"num_key_value_heads": 1, "head_dim": 8}


def tokenizer():
    """A token for each byte, and five marks."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = ["<pad>", "<unk>", "<s>", "</s>", "<mask>", *pre_tokenizers.ByteLevel.alphabet()]
    made = Tokenizer(models.BPE({name: i for i, name in enumerate(names)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", unk_token="<unk>", eos_token="</s>",
    )  # fmt: skip


def _multimodal():
    """A text model as Qwen3.5 ships it: under a vision tower that no text goes through."""
    from transformers.models.qwen3_5 import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    text = GROUPED | {
        "linear_num_key_heads": 2, "linear_num_value_heads": 2, "linear_key_head_dim": 4,
        "linear_value_head_dim": 4, "layer_types": ["linear_attention", "full_attention"],
        "tie_word_embeddings": True,
    }  # fmt: skip
    vision = {
        "depth": 1, "hidden_size": 8, "intermediate_size": 16, "num_heads": 2,
        "out_hidden_size": 8, "num_position_embeddings": 16,
    }  # fmt: skip
    return Qwen3_5ForConditionalGeneration(
        Qwen3_5Config(text_config=text, vision_config=vision, tie_word_embeddings=True)
    )


def _architectures():
    """A tiny random model of each class that the catalogue's Hub entries are."""
    import transformers as t

    return {
        "bert": lambda: t.BertModel(t.BertConfig(**SIZES)),
        "modernbert": lambda: t.ModernBertForMaskedLM(
            t.ModernBertConfig(**SIZES, cls_token_id=2, sep_token_id=3)
        ),
        "modernbert-decoder": lambda: t.ModernBertDecoderForCausalLM(
            t.ModernBertDecoderConfig(**SIZES, cls_token_id=2, sep_token_id=3)
        ),
        "eurobert": lambda: t.EuroBertForMaskedLM(t.EuroBertConfig(**SIZES, num_key_value_heads=1)),
        "gemma3_text": lambda: t.Gemma3TextModel(
            t.Gemma3TextConfig(**GROUPED, use_bidirectional_attention=True, sliding_window=16)
        ),
        "qwen3": lambda: t.Qwen3Model(t.Qwen3Config(**GROUPED, tie_word_embeddings=True)),
        "qwen3_5": _multimodal,
        "llama-judge": lambda: t.LlamaForSequenceClassification(
            t.LlamaConfig(**SIZES, num_key_value_heads=1, num_labels=5)
        ),
        "neox-judge": lambda: t.GPTNeoXForSequenceClassification(
            t.GPTNeoXConfig(**SIZES, num_labels=3)
        ),
    }


def changed(where, **changes):
    """The folder, with other words in its config.json."""
    file = where / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return where


def _as_published(kind, where):
    """Makes of a folder what the Hub has of that class."""
    from safetensors.torch import load_file, save_file

    file = where / "model.safetensors"
    if kind == "modernbert":
        # What the Hub's conversion keeps of two tied tensors (jhu-clsp/ettin-encoder-17m, PR 5).
        tensors = load_file(file)
        tensors["decoder.weight"] = tensors.pop("model.embeddings.tok_embeddings.weight")
        save_file(tensors, file, {"format": "pt"})
    if kind == "eurobert":
        named = {"AutoConfig": "configuration_eurobert.EuroBertConfig"}
        named |= {"AutoModelForMaskedLM": "modeling_eurobert.EuroBertForMaskedLM"}
        changed(where, auto_map=named)
    if kind == "qwen3":  # Qwen3-Embedding says so of a body saved alone
        changed(where, architectures=["Qwen3ForCausalLM"])


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """The folder of a kind, made when it is first asked for."""
    import torch

    home = tmp_path_factory.mktemp("zoo")
    makers = _architectures()

    def made(kind):
        there = home / kind
        if not there.exists():
            torch.manual_seed(0)
            model = makers[kind]()
            if kind in SCORED:
                # Fresh weights answer alike whatever is asked.
                torch.manual_seed(0)
                for part in model.parameters():
                    if part.dim() > 1:
                        torch.nn.init.normal_(part.data, std=0.4)
            model.save_pretrained(there)
            tokenizer().save_pretrained(there)
            _as_published(kind, there)
        return there

    return made


# --- the catalogue's architectures ----------------------------------------------------------------

FAMILIES = {
    "bert": "encoder", "modernbert": "encoder", "modernbert-decoder": "decoder",
    "eurobert": "encoder", "gemma3_text": "encoder", "qwen3": "decoder", "qwen3_5": "decoder",
    "llama-judge": "decoder", "neox-judge": "decoder",
}  # fmt: skip


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_folders_family_is_what_its_attention_is(zoo, kind):
    model = local_model(f"mine={zoo(kind)}")
    assert (model.family, model.max_tokens) == (FAMILIES[kind], 999)


def run_of(strategy, model, tmp_path, **changes):
    """What a strategy makes of a few rows."""
    params = {"learning_rate": 1e-3, "batch": 4} if strategy == "linear_head" else {}
    found = []
    run = RememberingRun(
        tmp_path, model, toy_task(), Rows(("goal match", "bank stock", "chip phone"), (0, 1, 2)),
        params, on_checkpoint=lambda predictor, _: found.append(predictor), **changes,
    )  # fmt: skip
    found.append(strategies.get(strategy).fit(run))
    return run, found[-1].predict_proba(["goal match", "", "market bank"])


@pytest.mark.parametrize("kind", [k for k in FAMILIES if "judge" not in k])
def test_the_catalogues_architectures_run_with_the_installed_transformers(
    zoo, kind, tmp_path, monkeypatch
):
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    model = local_model(f"mine={zoo(kind)}")
    for strategy in ("linear_head", "probe", "zero_shot"):
        if not strategies.fits(model, strategy):
            assert strategy == "zero_shot" and model.family == "encoder"
            continue
        _, found = run_of(strategy, model, tmp_path)
        assert found.shape == (3, 3), strategy
        assert np.isfinite(found).all() and np.allclose(found.sum(axis=1), 1, atol=1e-3), strategy


@pytest.mark.parametrize("kind", SCORED)
def test_options_are_scored_as_the_models_own_logits_say(zoo, kind, tmp_path, monkeypatch):
    import torch

    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    texts = ["goal match", "", "market bank chip", "phone"]
    kept = []
    run = RememberingRun(
        tmp_path, local_model(f"mine={zoo(kind)}"), toy_task(), Rows(("goal",), (0,)), {},
        on_checkpoint=lambda predictor, _: kept.append(predictor),
    )  # fmt: skip
    predictor = strategies.get("zero_shot").fit(run)
    model, prompter = predictor.model, predictor.prompter
    options = [ids[0] for ids in prompter.class_tokens]
    own = []
    for ids in prompter.encode(texts).ids:
        with torch.no_grad():
            own.append(model(torch.tensor([ids])).logits[0, -1, options].softmax(-1).numpy())
    close = {"rtol": 1e-4, "atol": 1e-6}
    assert np.allclose(predictor.predict_proba(texts), np.array(own), **close)
    # What is compared does differ, far more than is let pass.
    assert np.ptp(np.array(own), axis=0).max() > 1e-3


def test_a_tied_tensor_is_read_under_its_other_name(zoo):
    from safetensors.torch import load_file

    where = zoo("modernbert")
    stored = load_file(where / "model.safetensors")
    assert "model.embeddings.tok_embeddings.weight" not in stored
    for use, how in (("body", {}), ("classifier", {"num_labels": 3})):
        loaded = load(use, where, **how)
        assert loaded.model.get_input_embeddings().weight.equal(stored["decoder.weight"])
        assert "embeddings" not in str(loaded.notes)
    # What says that nothing is tied lacks its embedding.
    untied = shutil.copytree(where, where.parent / "untied")
    with pytest.raises(WeightsError, match="missing"):
        load("body", changed(untied, tie_word_embeddings=False))


# --- what `suite model check` and a study say of a folder -----------------------------------------


def check(*words, code=0):
    """What `suite model check … --json` says, by strategy."""
    found = CliRunner().invoke(app, ["model", "check", *map(str, words), "--json"])
    assert found.exit_code == code, found.output
    said = json.loads(found.stdout)
    assert said["runs"] == (code == 0)
    # Another test of the process may have entered the toy strategy.
    return {one.pop("strategy"): one for one in said["strategies"] if one["strategy"] != "toy"}


def planned(folder, *strategies_):
    """The refusals of a study's arms with a folder."""
    model = local_model(f"mine={folder}")
    recipe = Recipe.model_validate(
        {"name": "r", "title": "r", "arms": [f"mine/{name}" for name in strategies_]}
    )
    arms = plan(recipe, toy_task(), {"mine": model}, unavailable=lambda _: None)
    return {arm.strategy: arm.refused for arm in arms}


def test_a_judge_is_not_asked_and_its_head_is_told(zoo):
    said = check(f"mine={zoo('llama-judge')}")
    assert said["linear_head"]["classes"] == 5 and said["linear_head"]["refused"] is None
    assert said["probe"]["ignored"] == ["score"]
    why = "it was saved as LlamaForSequenceClassification: it has no output layer (lm_head)"
    assert said["zero_shot"]["refused"].startswith(why)
    # The arms of a study are judged by the same.
    arms = planned(zoo("llama-judge"), "linear_head", "zero_shot")
    assert arms == {"linear_head": None, "zero_shot": said["zero_shot"]["refused"]}
    assert strategies.fits(local_model(f"mine={zoo('neox-judge')}"), "zero_shot")


def test_tied_embeddings_count_as_an_output_layer(zoo):
    assert folder.refuses(zoo("qwen3"), "language model") is None
    said = check(zoo("qwen3"))  # without a name
    assert said["zero_shot"]["refused"] is None and not said["zero_shot"]["embeds"]


def test_a_model_that_was_made_to_embed_is_told(zoo, tmp_path):
    made = shutil.copytree(zoo("qwen3"), tmp_path / "q")
    (made / "modules.json").write_text("[]")
    assert folder.embeds(made)


def test_a_tokenizer_that_grew_and_one_that_is_missing_refuse_every_strategy(zoo, tmp_path):
    grown, more = shutil.copytree(zoo("qwen3"), tmp_path / "My Grown"), tokenizer()
    more.add_tokens(["goal", "match"])
    more.save_pretrained(grown)
    said = check(grown, code=2)
    why = "the tokenizer has 263 tokens and the model's embedding 261 rows"
    assert {one["refused"] for one in said.values()} == {why}
    assert planned(grown, "probe") == {"probe": why}
    for file in grown.glob("*token*"):
        file.unlink()
    assert "has no tokenizer" in check(grown, code=2)["probe"]["refused"]


def test_an_encoder_with_a_decoder_says_so_for_each_strategy(zoo, tmp_path):
    both = changed(
        shutil.copytree(zoo("bert"), tmp_path / "t5"), model_type="t5", is_encoder_decoder=True
    )
    said = check(f"mine={both}", code=2)
    assert set(said) == {"linear_head", "probe"}
    assert all("an encoder with a decoder (t5)" in one["refused"] for one in said.values())


def test_an_architecture_of_later_says_which_transformers_wrote_it(zoo, tmp_path):
    later = changed(
        shutil.copytree(zoo("bert"), tmp_path / "l"), model_type="x9", transformers_version="9.1"
    )
    refused = check(f"mine={later}", code=2)["probe"]["refused"]
    assert "knows no model of the kind 'x9'" in refused


def test_the_table_speaks_chinese(zoo):
    from suite.cli.console import speak

    try:
        found = CliRunner().invoke(app, ["--lang", "zh", "model", "check", str(zoo("llama-judge"))])
    finally:
        speak("en")
    assert "策略\t可运行\t原因，或会发生什么" in found.stdout, found.output
    assert "zero_shot\t否\t保存时是 LlamaForSequenceClassification：没有输出层" in found.stdout
