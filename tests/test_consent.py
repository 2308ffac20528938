"""A server is asked, and shown a key, only where the user named it or allowed it."""

import json
import shutil
import stat
import threading

import pytest
from conftest import write_recipe
from endpoint_server import server
from test_study import suite

from suite import load_predictor, paths, run_study
from suite.child import runner
from suite.endpoint import Endpoint, address, consent
from suite.errors import EndpointError
from suite.study import storage

KEY = "sk-THE-USERS-OPENAI-KEY"


@pytest.fixture(autouse=True)
def user(tmp_path, monkeypatch):
    """A user with a key, an empty configuration, and nobody at the terminal."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(consent, "_said", {})
    monkeypatch.setattr(consent, "_person", consent.Person(told=lambda text: None))
    monkeypatch.setattr(consent, "_inherited", consent.Consent())


def stranger(folder, url):
    """An exported folder that names a server; returns how a command names it."""
    model = folder / "m"
    model.mkdir()
    question = {
        "language": "en",
        "before": "",
        "after": "",
        "codes": ["A", "B"],
        "words": ["a", "b"],
    }
    settings = {
        "format": "endpoint", "url": f"{url}/v1", "model": "toy", "question": question,
        "think": False, "max_new_tokens": 4, "text_limit": 100, "temperature": 0.0,
        "concurrency": 1, "timeout": 10.0, "bias": None,
    }  # fmt: skip
    labels = [{"name": name, "shown": name} for name in ("a", "b")]
    described = {"labels": labels, "arm": "x/zero_shot", "study": "s", "trial": 0, "language": "en"}
    (model / "predictor.json").write_text('{"strategy": "zero_shot"}')
    (model / "labels.json").write_text(json.dumps(described))
    (model / "settings.json").write_text(json.dumps(settings))
    return "./m"


# ---------------------------------------------------------------- who a server is


@pytest.mark.parametrize(
    ("url", "whose"),
    [
        ("HTTP://LocalHost.:8000/v1", "localhost:8000"),
        ("https://api.openai.com/v1", "api.openai.com:443"),
        ("http://api.openai.com/v1", "api.openai.com:80"),
        ("http://[0:0:0::1]:80/v1", "[::1]:80"),
        ("http://127.0.0.1:8000@evil.example/v1", "evil.example:80"),
        ("http://evil.example#@127.0.0.1:8000/", "evil.example:80"),
        ("http://127.0.0.1.evil.example/", "127.0.0.1.evil.example:80"),
    ],
)
def test_a_server_has_one_spelling(url, whose):
    assert address.server(url) == whose


@pytest.mark.parametrize(
    "url",
    ["http://good\\.evil.example/", "http://good\\@evil.example", "http://b\u00fccher.example",
     "http://\uff45vil.example", "http://%65vil.example/", "http://ev il/", "http://[fe80::1%25a]/",
     "http://a..b/", "http://-/", "ftp://host", "//host", ""],
)  # fmt: skip
def test_an_address_that_may_be_read_in_two_ways_is_none(url):
    with pytest.raises(EndpointError):
        address.server(url)
    with pytest.raises(EndpointError):
        Endpoint(url, "toy")


@pytest.mark.parametrize(
    ("text", "meant"),
    [("Host.", "host"), ("host:80", "host:80"), ("::1", "[::1]"), ("[::1]:8000", "[::1]:8000"),
     ("127.0.0.1", "127.0.0.1"), ("https://Host/v1", "host:443")],
)  # fmt: skip
def test_how_a_server_may_be_named(text, meant):
    assert address.named_host(text) == meant


@pytest.mark.parametrize("text", ["", "a b", "host:port", "*", "http://"])
def test_what_names_no_server(text):
    with pytest.raises(EndpointError, match=r"no server|no address"):
        consent.Consent(named=[text])


def test_loopback_is_known_by_its_number():
    for url, is_it in (("http://127.9.9.9", True), ("http://localhost.", True),
                       ("http://127.evil.example", False), ("http://[::1]", True)):  # fmt: skip
        assert address.is_this_machine(url) is is_it


def test_a_redirect_with_a_user_is_not_followed():
    url = "http://host/v1/chat"
    assert address.redirected(url, "http://HOST/v2") == "http://HOST/v2"
    assert address.redirected(url, "https://host/v1/chat") == "https://host/v1/chat"
    for elsewhere in ("http://me:pw@host/v1", "http://host@evil/", "//evil/", "http://host:81/",
                      "http://host.evil/", "https://host:444/", "file:///etc/passwd"):  # fmt: skip
        assert address.redirected(url, elsewhere) is None, elsewhere


# ---------------------------------------------------------------- a folder from elsewhere


def test_a_folder_from_elsewhere_is_sent_nothing(folder):
    with server("good") as one:
        name = stranger(folder, one.url)
        host = one.url.removeprefix("http://")
        for words in (["predict", name, "my private text"], ["serve", name, "--port", "0"]):
            told = suite(*words, code=2)
            assert f"--allow-endpoint {host}" in told.stderr and "OPENAI_API_KEY" in told.stderr
        with pytest.raises(EndpointError, match=r"allow_endpoint=\['"):
            load_predictor(name)
        for other in ("evil.example", f"127.0.0.1:{int(host.rpartition(':')[2]) % 65535 + 1}"):
            suite("predict", name, "my private text", "--allow-endpoint", other, code=2)
        assert (one.posts, one.authorizations) == (0, set())
        suite("predict", name, "win a prize", "--allow-endpoint", host)
        assert load_predictor(name, allow_endpoint=["127.0.0.1"]).predict(["win a prize now"])
        assert (one.posts, one.authorizations) == (2, {f"Bearer {KEY}"})
        # Of a folder nothing is kept: another may stand there tomorrow.
        suite("predict", name, "my private text", code=2)
        assert not (paths.settings() / consent.FILE).exists()


def test_a_person_is_asked_once_and_told_what_would_be_sent(folder, monkeypatch):
    questions = []

    def answer(question):
        questions.append(question)
        return len(questions) > 1

    with server("good") as one:
        name = stranger(folder, one.url)
        monkeypatch.setattr("suite.cli.allowing._asked", answer)
        suite("predict", name, "a text", code=2)
        assert one.posts == 0
        suite("predict", name, "a text", "another")
        assert one.posts == 2 and len(questions) == 2
    assert one.url.removeprefix("http://") in questions[0]
    assert "texts" in questions[0] and "OPENAI_API_KEY" in questions[0]
    assert KEY not in questions[0]


# ---------------------------------------------------------------- a study


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """A study of one arm behind a server: its folder, the server, the user's configuration."""
    place = tmp_path_factory.mktemp("studied")
    with pytest.MonkeyPatch.context() as patch, server("good") as one:
        patch.chdir(place)
        patch.setenv("XDG_CONFIG_HOME", str(place / "config"))
        data = place / "data"
        data.mkdir()
        rows = [{"text": f"win a prize {n}", "label": 1} for n in range(40)]
        rows += [{"text": f"kind friend {n}", "label": 0} for n in range(40)]
        for split, some in (("train", rows[::2]), ("test", rows[1::2])):
            (data / f"{split}.jsonl").write_text("\n".join(json.dumps(row) for row in some) + "\n")
        (place / "toy.yaml").write_text(
            "name: toy\ntitle: Toy mail\nlanguage: en\nlabels: [{name: ham}, {name: spam}]\n"
            "data: {folder: data, licence: made for the tests}\n"
            "validation: {share: 0.25, seed: 0}\n"
        )
        recipe = write_recipe(place, arms=["tfidf/toy"], trials=1)
        suite("study", "create", "toy.yaml", "--recipe", recipe, "--name", "e", "-q", "--endpoint",
              one.url, "--endpoint-model", "toy", "--arms", "toy-served/zero_shot")  # fmt: skip
        yield place, one


@pytest.fixture
def at_home(studied, monkeypatch):
    place, one = studied
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place / "config"))
    return place, one


def test_who_named_a_server_is_not_asked_again(at_home):
    place, one = at_home
    before = one.posts
    suite("study", "run", "e", "-q")
    suite("predict", "e", "win a prize indeed")
    assert load_predictor("e").predict(["a kind friend indeed"]) == ["ham"]
    assert one.posts == before + 2
    told = suite("export", "e", "./exported")
    server_named = f"--allow-endpoint {one.url.removeprefix('http://')}"
    assert told.stderr.count(server_named) == 2  # predict, or serve
    suite("predict", "./exported", "win a prize indeed", code=2)
    kept = place / "config" / "suite" / consent.FILE
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    (servers,) = json.loads(kept.read_text())["allowed"].values()
    assert servers == [one.url.removeprefix("http://")]
    # Nothing of it stands in the database.
    assert b"allowed" not in (place / "studies" / "suite.db").read_bytes()


def test_a_study_from_elsewhere_is_run_once_its_server_is_allowed(at_home, folder, monkeypatch):
    place, one = at_home
    monkeypatch.chdir(place)
    suite("study", "export-db", "e", folder / "e.db")
    monkeypatch.chdir(folder)
    shutil.copytree(place / "data", folder / "data")
    shutil.copy(place / "toy.yaml", folder)
    suite("study", "import-db", "e.db")
    before = one.posts
    host = one.url.removeprefix("http://")
    for words in (["study", "run", "e"], ["finals", "e"], ["bench", "e", "--endpoints"]):
        told = suite(*words, "-q", code=2)
        assert f"--allow-endpoint {host}" in told.stderr, told.stderr
    with pytest.raises(EndpointError, match="allow_endpoint"):
        run_study("e")
    assert one.posts == before
    suite("study", "run", "e", "-q", "--allow-endpoint", "127.0.0.1", "--data", "data")
    suite("study", "run", "e", "-q", "--data", "data")  # It is kept, for this storage.


def test_a_kept_checkpoint_that_names_another_server_is_not_loaded(at_home):
    place, one = at_home
    (file,) = (place / "studies" / "artifacts").rglob("settings.json")
    good = file.read_text()
    try:
        with server("good") as evil:
            file.write_text(good.replace(one.url, evil.url))
            told = suite("predict", "e", "a text", code=2)
            assert evil.url.removeprefix("http://") in told.stderr
            assert (evil.posts, evil.authorizations) == (0, set())
    finally:
        file.write_text(good)


def test_a_child_may_ask_what_its_parent_may_and_no_other(monkeypatch):
    monkeypatch.setattr(runner.surroundings, "take", lambda theirs: None)  # this is no child
    asked = []

    def ask(channel, url):
        asked.append(Endpoint(url, "toy"))

    runner._main(None, frozenset(["127.0.0.1:9"]), {}, ask, "http://127.0.0.1:9/v1")
    assert len(asked) == 1
    with pytest.raises(EndpointError, match="nobody has allowed it"):
        runner._main(None, frozenset(["127.0.0.1:9"]), {}, ask, "http://127.0.0.1:10/v1")


# ---------------------------------------------------------------- what is kept


URL = "http://127.0.0.1:9/v1"
FILE_OF = {
    "damaged": b"{",
    "another": b'{"version": 2, "allowed": {}}',
    "long": b" " * (consent._MOST_BYTES + 1),
    "deep": b"[" * 100_000,
    "values": b'{"version": 1, "allowed": {"a": 5}}',
}


@pytest.mark.parametrize("content", FILE_OF.values(), ids=FILE_OF)
def test_a_file_that_can_not_be_read_allows_nothing_and_stays(folder, content):
    said = []
    consent.talk_with(consent.Person(told=said.append))
    file = paths.settings() / consent.FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(EndpointError):
        consent.Consent("a").require(URL)
    assert str(file) in said[0]
    # Who names it now is heard all the same, also by what runs later in this process.
    consent.Consent("a", [URL]).require(URL)
    consent.Consent("a").require(URL)
    assert file.read_bytes() == content and "holds for now" in "".join(said)


def test_a_file_that_others_may_write_allows_nothing(folder):
    consent.Consent("a", [URL]).require(URL)
    consent._said.clear()
    consent.Consent("a").require(URL)
    (paths.settings() / consent.FILE).chmod(0o666)
    with pytest.raises(EndpointError):
        consent.Consent("a").require(URL)


def test_an_unwritable_configuration_breaks_nothing(folder, monkeypatch):
    said = []
    consent.talk_with(consent.Person(told=said.append))
    (folder / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "file"))
    consent.Consent("a", [URL]).require(URL)
    consent.Consent("a").require(URL)
    assert "can't be kept" in "".join(said)
    with pytest.raises(EndpointError):
        consent.Consent("b").require(URL)
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")  # it would lie in a stranger's folder
    assert paths.settings() == paths.Path.home() / ".config" / "suite"


def test_those_who_write_at_once_lose_nothing(folder):
    threads = [
        threading.Thread(
            target=lambda n=n: consent.Consent("a", ["127.0.0.1"]).require(f"http://127.0.0.1:{n}")
        )
        for n in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(consent._read()["a"]) == 8
    assert [file.name for file in paths.settings().iterdir() if file.name[0] == "."] == []


def test_a_storage_is_known_by_its_place_alone(folder):
    assert storage.place() == storage.place("sqlite:///studies/suite.db")
    assert storage.place() == f"sqlite:{folder}/studies/suite.db".replace("/", "", 1)
    (folder / "link").symlink_to("studies")
    assert storage.place("sqlite:///link/suite.db") == storage.place()
    one = storage.place("postgresql+psycopg://me:pw@db:5432/x?password=pw&host=/tmp/y")
    assert one == storage.place("postgresql+psycopg://db:5432/x?host=/tmp/y") and "pw" not in one
