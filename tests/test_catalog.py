"""The catalogue of models, and local folders added to it."""

import json
import struct

import pytest

from suite.contracts.model import Model
from suite.errors import ModelError, SuiteError, YamlError
from suite.models.catalogue import endpoint_model, find_model, load_catalogue, local_model


def test_the_shipped_catalogue_holds_the_models_of_the_design():
    catalogue = load_catalogue()
    families = {name: model.family for name, model in catalogue.items()}
    assert families == {
        "tfidf": "classic",
        "fasttext": "classic",
        "textcnn": "classic",
        "potion-base-8m": "static",
        "potion-base-32m": "static",
        "potion-multilingual-128m": "static",
        "bert-base-cased": "encoder",
        "bert-base-chinese": "encoder",
        "roberta-base": "encoder",
        "chinese-roberta-wwm-ext": "encoder",
        "modernbert-base": "encoder",
        "minilm": "encoder",
        "ettin-encoder-17m": "encoder",
        "ettin-encoder-32m": "encoder",
        "ettin-encoder-68m": "encoder",
        "ettin-encoder-150m": "encoder",
        "ettin-encoder-400m": "encoder",
        "mmbert-small": "encoder",
        "mmbert-base": "encoder",
        "eurobert-210m": "encoder",
        "eurobert-610m": "encoder",
        "bge-small-zh-v1.5": "encoder",
        "embeddinggemma-300m": "encoder",
        "qwen3-0.6b": "decoder",
        "qwen3-1.7b": "decoder",
        "qwen3-4b": "decoder",
        "smollm2-135m-instruct": "decoder",
        "ettin-decoder-17m": "decoder",
        "ettin-decoder-32m": "decoder",
        "ettin-decoder-68m": "decoder",
        "ettin-decoder-150m": "decoder",
        "ettin-decoder-400m": "decoder",
        "qwen3-embedding-0.6b": "decoder",
        "qwen3.5-0.8b": "decoder",
        "qwen3.5-2b": "decoder",
        "tiny-bert": "encoder",
        "tiny-qwen3": "decoder",
    }


def test_every_pinned_revision_says_where_it_was_found():
    for model in load_catalogue().values():
        if model.hub and model.revision != "main":
            assert model.revision_from, model.name
            assert model.licence, model.name
            assert model.parameters, model.name
            # A static model has no positions that could run out.
            assert (model.max_tokens is None) == (model.family == "static"), model.name


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(ModelError, match=r"Did you mean 'qwen3-0\.6b'"):
        find_model("qwen3-0.6", load_catalogue())


def test_a_model_that_stands_twice_is_refused(tmp_path):
    entry = "  - {name: a, family: classic, builder: tfidf}\n"
    (tmp_path / "models.yaml").write_text("models:\n" + entry * 2)
    with pytest.raises(ModelError, match="'a' stands twice"):
        load_catalogue(tmp_path / "models.yaml")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{name: a, family: encoder}", "one of hub, path, builder and endpoint"),
        ("{name: a, family: encoder, hub: x/y, builder: tiny-bert}", "one of hub, path"),
        ("{name: a, family: encoder, hub: x/y, revision: v1}", "a commit of 40 hex digits"),
        ("{name: A b, family: encoder, hub: x/y}", "is no name"),
        ("{name: a, family: encoder, hub: x/y, size: 1}", "unknown key 'size'"),
    ],
)
def test_a_malformed_entry_is_one_message(tmp_path, entry, said):
    (tmp_path / "models.yaml").write_text(f"models:\n  - {entry}\n")
    with pytest.raises(YamlError, match=said) as caught:
        load_catalogue(tmp_path / "models.yaml")
    assert "line 2" in str(caught.value)


def folder(path, config, weights="model.safetensors", tokenizer="tokenizer.json"):
    path.mkdir()
    if tokenizer:
        (path / tokenizer).write_text("{}")
    (path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    if weights:
        (path / weights).write_bytes(struct.pack("<Q", 2) + b"{}")
    return path


def test_a_local_folder_becomes_a_model(tmp_path):
    path = folder(
        tmp_path / "m",
        {"architectures": ["BertModel"], "model_type": "bert", "max_position_embeddings": 512},
    )
    model = local_model(f"mine={path}")
    assert model == Model(name="mine", family="encoder", path=str(path.resolve()), max_tokens=512)


def test_a_folder_in_an_entrys_place_reads_the_entrys_languages(tmp_path):
    path = folder(tmp_path / "m", {"architectures": ["BertModel"], "model_type": "bert"})
    assert local_model(f"minilm={path}").languages == ["en"]
    assert local_model(f"mine={path}").languages == ["multilingual"]


def test_a_causal_language_model_is_a_decoder(tmp_path):
    path = folder(tmp_path / "m", {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3"})
    assert local_model(f"mine={path}").family == "decoder"


@pytest.mark.parametrize(
    ("config", "weights", "said"),
    [
        ({}, None, "has no weights"),
        ({}, "pytorch_model.bin", "only pickled weights"),
        ("not json", "model.safetensors", "it is no JSON"),
        ({"auto_map": {"AutoModel": "x.Y"}}, "model.safetensors", "code of its own"),
    ],
)
def test_a_folder_that_can_not_be_used_says_why(tmp_path, config, weights, said):
    path = folder(tmp_path / "m", config, weights)
    with pytest.raises(SuiteError, match=said):
        local_model(f"mine={path}")


@pytest.mark.parametrize("option", ["minilm", "=x", "MiniLM=/x", "minilm="])
def test_a_malformed_option_shows_the_form(option):
    with pytest.raises(ModelError, match="NAME=PATH"):
        local_model(option)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ModelError, match="no folder"):
        local_model(f"mine={tmp_path / 'none'}")


def test_a_served_model_is_named_after_what_the_server_calls_it():
    served = endpoint_model("http://127.0.0.1:8000/v1", "Qwen/Qwen3-8B")
    assert served.name == "qwen3-8b-served"
    assert served.identity == "endpoint:Qwen/Qwen3-8B at http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("url", "name", "said"),
    [
        (None, "m", "belong together"),
        ("http://127.0.0.1:1", None, "belong together"),
        ("localhost:8000", "m", "no address of a server"),
        ("ftp://host", "m", "no address of a server"),
        ("http://user:secret@host/v1", "m", "must not hold"),
        ("htps://user:secret@host", "m", "must not hold"),
        ("http://user:sec/secret@host", "m", "must not hold"),
        ("http://host/v1?key=secret", "m", "must not hold"),
    ],
)
def test_an_endpoint_that_can_not_be_one(url, name, said):
    with pytest.raises(ModelError, match=said) as caught:
        endpoint_model(url, name)
    assert "secret" not in str(caught.value)
