"""Languages of texts: codes, the detector, what arms do in a language that the suite has no words
of."""

import pytest
from pydantic import TypeAdapter

from suite.config import yamlfile
from suite.contracts.language import LanguageCode, language_of
from suite.contracts.space import Space
from suite.contracts.task import Task, default_prompt
from suite.data.languages import detect
from suite.errors import SuiteError
from suite.models import needs
from suite.models.catalogue import load_catalogue
from suite.prompting import layout
from suite.strategies import get
from suite.strategies.classic import tokens
from suite.strategies.classic.knobs import parse_views
from suite.strategies.classic.tfidf import make_vectorizer
from suite.study.arms import PlannedArm, asked_in_english

SAID = {
    "en": ["refund please", "printer broken", "invoice wrong", "lost password"],
    "de": ["Rechnung falsch", "Drucker kaputt", "bitte Geld zurück", "Kennwort vergessen"],
    "fr": ["facture incorrecte", "mot de passe oublié", "imprimante cassée"],
    "es": ["factura incorrecta", "contraseña olvidada", "impresora rota", "quiero mi dinero"],
    "zh": ["打印机坏了", "我要退貨，謝謝", "密码忘了 help", "iPhone 屏幕坏了 please help"],
    "ja": ["東京都", "プリンターが動きません", "返金をお願いします"],
    "ar": ["الطابعة لا تعمل", "أريد استرداد المال"],
    "hi": ["मुझे पैसे वापस चाहिए", "पासवर्ड भूल गया"],
    "th": ["ฉันต้องการเงินคืน", "ลืมรหัสผ่าน"],
}


def german(**changes):
    return Task.model_validate(
        {
            "name": "tickets",
            "title": "Tickets",
            "language": "de",
            "labels": [{"name": "billing"}, {"name": "tech"}],
            "data": {"folder": "rows", "licence": "none"},
        }
        | changes
    )


@pytest.mark.parametrize("language", SAID)
def test_short_texts_together_tell_their_language(language):
    guess = detect(SAID[language])
    assert guess.code == language
    assert guess.share > 0.8
    assert language_of(language).name in guess.reason
    assert f"{len(SAID[language])} texts" in guess.reason


def test_several_languages_and_none_are_told_as_such():
    mixed = detect([text for language in ("de", "en", "ja", "ar") for text in SAID[language]])
    assert mixed.code == "mul"
    assert "German" in mixed.reason and "Arabic" in mixed.reason
    assert detect(["1", "2", "https://example.com/x", "@someone"]).code == "und"
    assert detect([]).code == "und"


def test_addresses_and_numbers_say_nothing_of_a_language():
    assert (
        detect([f"{text} https://example.com/the/printer/and/you 12" for text in SAID["de"]]).code
        == "de"
    )


@pytest.mark.parametrize(
    ("given", "code"),
    [("en", "en"), ("deu", "de"), ("ger", "de"), ("cmn", "zh"), ("nds", "nds"), ("yue", "yue"),
     ("mul", "mul"), (False, "no")],
)  # fmt: skip
def test_codes_are_iso_639_in_their_shortest_form(given, code):
    assert TypeAdapter(LanguageCode).validate_python(given) == code


@pytest.mark.parametrize(
    ("given", "told"),
    [("German", "write de"), ("zh-CN", "write zh"), ("DE", "write de"), ("xx", "no language has")],
)
def test_what_is_no_code_is_refused_with_the_code_that_was_meant(given, told):
    text = german().model_dump_json().replace('"de"', f'"{given}"')
    with pytest.raises(SuiteError, match=told):
        yamlfile.validate(text, Task, "tickets.yaml")


def test_a_model_of_another_language_is_refused_with_both_named():
    catalogue = load_catalogue()
    reason = get("linear_head").refuses(catalogue["bert-base-cased"], german())
    assert reason is not None
    assert "bert-base-cased reads English; the texts are in German" in reason
    for name in ("qwen3-0.6b", "tiny-bert", "tfidf", "fasttext", "textcnn"):
        assert needs.speaks(catalogue[name], german()) is None, name
    for name in ("tfidf", "fasttext", "textcnn"):
        assert get("classic").refuses(catalogue[name], german()) is None, name


def test_questions_are_in_english_where_the_suite_has_none_in_the_language():
    assert layout.prompt_of(german()) == default_prompt("en")
    own = default_prompt("zh")
    assert layout.prompt_of(german(prompt={"deu": own.model_dump()})) == own


def test_arms_that_ask_in_english_are_told():
    catalogue = load_catalogue()
    planned = [
        PlannedArm(f"{model}/{strategy}", catalogue[model], strategy, Space({}))
        for model, strategy in (("tfidf", "classic"), ("tiny-qwen3", "zero_shot"))
    ]
    told = asked_in_english(planned, german())
    assert told is not None and told.startswith("tiny-qwen3/zero_shot: asked in English")
    assert asked_in_english(planned[:1], german()) is None
    assert asked_in_english(planned, german(language="zh")) is None
    own = default_prompt("zh").model_dump()
    assert asked_in_english(planned, german(prompt={"de": own})) is None


def test_units_follow_the_script():
    assert tokens.by_script("मुझे iPhone चाहिए!") == ["मुझे", "iphone", "चाहिए", "!"]
    assert tokens.by_script("東京タワーへ 2024年") == [*"東京タワーへ", "2024", "年"]
    assert tokens.by_script("ลืม ok") == ["ลื", "ม", "ok"]
    assert tokens.by_script("Größe, geht's?") == ["größe", ",", "geht's", "?"]


def test_words_of_hindi_are_whole_in_tfidf():
    (view,) = parse_views("script-1-1")
    fitted = make_vectorizer(view, sublinear=True).fit(SAID["hi"])
    assert set(fitted.vocabulary_) == {"मुझे", "पैसे", "वापस", "चाहिए", "पासवर्ड", "भूल", "गया"}


def test_spaces_of_search_follow_the_language():
    tfidf = load_catalogue()["tfidf"]
    strategy = get("classic")
    first = {code: strategy.space(tfidf, german(language=code)).known_good[0]["ngrams"]
             for code in ("en", "de", "ja", "mul")}  # fmt: skip
    assert first == {
        "en": "word-1-2", "de": "script-1-2", "ja": "char-1-3", "mul": "script-1-2"
    }  # fmt: skip
