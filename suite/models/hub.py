"""Whether the Hugging Face Hub can be reached, asked once per command, and whose weights are here.

The Hub client's own calls take from 23 to 110 s to give up. So one light call is made in a
daemon thread with a deadline, and where it fails offline mode is set before anything imports
the client. The local cache is looked up by its published layout, without the client: importing
it first would fix its offline switch.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from suite.config import jsonfile
from suite.contracts.model import Model
from suite.contracts.strategy import Unreachable
from suite.errors import ModelError
from suite.models import checkpoint

DEADLINE = 10.0

Kind = Literal["model", "dataset"]

_OFFLINE_SWITCHES = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")
_TRUE = {"1", "ON", "YES", "TRUE"}
#: Answers of a Hub that is there but does not serve its root, or wants fewer or signed requests.
_ALIVE = {401, 404, 405, 429}


@dataclass(frozen=True)
class _Answer:
    status: int | None
    trouble: str
    code: str = ""
    size: int | None = None


@dataclass(frozen=True)
class _Verdict:
    reachable: bool
    reason: str


_lock = threading.Lock()
_verdict: _Verdict | None = None


def endpoint() -> str:
    """The Hub's address: `HF_ENDPOINT`, or https://huggingface.co."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def reachable(deadline: float = DEADLINE) -> bool:
    """Whether the Hub answers. Asked once per process; later calls repeat the first answer.

    Where it does not, HF_HUB_OFFLINE, HF_DATASETS_OFFLINE and TRANSFORMERS_OFFLINE are set for
    this process and its children.

    Args:
        deadline: seconds after which no answer counts as a no.
    """
    return _ask(deadline).reachable


def reason(deadline: float = DEADLINE) -> str:
    """Why the Hub can't be reached, as a clause ("… did not answer within 10 s"); "" if it can."""
    return _ask(deadline).reason


def forget() -> None:
    """Drops the remembered answer, so that the next question asks anew (for tests)."""
    global _verdict
    with _lock:
        _verdict = None


def _ask(deadline: float) -> _Verdict:
    global _verdict
    with _lock:
        if _verdict is None:
            _verdict = _find_out(deadline)
            if not _verdict.reachable:
                _go_offline()
        return _verdict


def _find_out(deadline: float) -> _Verdict:
    for switch in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(switch, "").upper() in _TRUE:
            return _Verdict(False, f"{switch} is set")
    answer = _head(f"{endpoint()}/", deadline)
    if answer.status is None:
        return _Verdict(False, f"{endpoint()} {answer.trouble}")
    if answer.status < 400 or answer.status in _ALIVE:
        return _Verdict(True, "")
    return _Verdict(False, f"{endpoint()} answered with HTTP status {answer.status}")


def _go_offline() -> None:
    for switch in _OFFLINE_SWITCHES:
        os.environ[switch] = "1"
    # Whoever imported the client before us has fixed its switch at import; turn that too.
    for module, names in (
        ("huggingface_hub.constants", ("HF_HUB_OFFLINE",)),
        ("datasets.config", ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")),
    ):
        loaded = sys.modules.get(module)
        for name in names:
            if loaded is not None and hasattr(loaded, name):
                setattr(loaded, name, True)


def _head(url: str, deadline: float) -> _Answer:
    """A HEAD request that is over after `deadline` seconds, name resolution included."""
    answers: list[_Answer] = []
    headers = {"User-Agent": "suite"}
    token = os.environ.get("HF_TOKEN")
    if token:
        headers["Authorization"] = f"Bearer {token.strip()}"
    opener = urllib.request.build_opener(_KeepsToken)

    def call() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD", headers=headers)
            with opener.open(request, timeout=deadline) as response:
                length = str(response.headers.get("Content-Length") or "")
                size = int(length) if length.isdecimal() else None
                answers.append(_Answer(int(response.status), "", size=size))
        except urllib.error.HTTPError as error:
            answers.append(_Answer(error.code, "", str(error.headers.get("X-Error-Code") or "")))
            error.close()
        except TimeoutError:
            answers.append(_Answer(None, _late(deadline)))
        except (OSError, ValueError) as error:
            cause = getattr(error, "reason", error)
            if isinstance(cause, TimeoutError):
                answers.append(_Answer(None, _late(deadline)))
            else:
                detail = getattr(cause, "strerror", None) or str(cause)
                answers.append(_Answer(None, f"can't be reached ({detail})"))
        except Exception as error:  # noqa: BLE001  # http.client has a tree of its own
            answers.append(_Answer(None, f"can't be understood ({type(error).__name__}: {error})"))

    thread = threading.Thread(target=call, name="hub-reachable", daemon=True)
    started = time.monotonic()
    thread.start()
    thread.join(max(0.0, deadline - (time.monotonic() - started)))
    return answers[0] if answers else _Answer(None, _late(deadline))


class _KeepsToken(urllib.request.HTTPRedirectHandler):
    """Follows redirects, elsewhere without the token: urllib would take every header along."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """The request that a redirect asks for."""
        found = super().redirect_request(req, fp, code, msg, headers, newurl)
        if found is not None:
            found.method = req.get_method()  # Of HEAD it makes GET.
            if _origin(newurl) != _origin(req.full_url):
                found.remove_header("Authorization")
        return found


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _late(deadline: float) -> str:
    return f"did not answer within {deadline:g} s"


def cache_folder() -> Path:
    """Where the Hub client keeps its cache, by the same variables that it reads."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser() / "hub"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache") / "huggingface" / "hub"


def cached_snapshot(repo_id: str, revision: str = "main", kind: Kind = "model") -> Path | None:
    """The folder of a repository at a revision in the local Hub cache, or None.

    A model counts only if its config and all its weights are there: an interrupted download
    leaves a snapshot that can't be loaded.
    """
    if any(part in ("", ".", "..") for part in repo_id.split("/")):
        return None
    repository = cache_folder() / f"{kind}s--{repo_id.replace('/', '--')}"
    commit = revision
    try:
        reference = repository / "refs" / revision
        if reference.is_file():
            commit = reference.read_text(encoding="utf-8").strip()
        snapshot = repository / "snapshots" / commit
        if not commit or not snapshot.is_dir():
            return None
        if kind == "model":
            return snapshot if _is_complete(snapshot) else None
        return snapshot if any(snapshot.iterdir()) else None
    except OSError:
        return None


def _is_complete(folder: Path) -> bool:
    """Whether the weights that are read are there; their headers are looked at when they are."""
    if not (folder / "config.json").exists():
        return False
    if (folder / checkpoint.WEIGHTS).exists():
        return True
    try:
        index = jsonfile.read(folder / checkpoint.INDEX, most=checkpoint.MOST_INDEX_BYTES)
        shards = set(index["weight_map"].values())
        return bool(shards) and all((folder / str(shard)).exists() for shard in shards)
    except (ModelError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def weights_for(model: Model) -> Path | str | None:
    """Where a model's weights come from: a local folder, else the Hub id; or None.

    None means built from the training texts (a builder), or out of reach (`unavailable` says why).
    """
    if model.path is not None:
        return Path(model.path)
    if model.hub is None:
        return None
    cached = cached_snapshot(model.hub, model.revision)
    if cached is not None:
        return cached
    return model.hub if reachable() else None


def folder_for(model: Model) -> Path | None:
    """The folder of a model's weights, fetched from the Hub where it is not here yet.

    Nothing pickled is fetched. None: as `weights_for`.

    Raises:
        ModelError: the Hub has no such weights, or breaks off.
    """
    found = weights_for(model)
    if found is None or isinstance(found, Path):
        return found
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(
            snapshot_download(
                found, revision=model.revision, allow_patterns=list(checkpoint.WANTED)
            )
        )
    except (OSError, HfHubHTTPError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"its weights can't be fetched: {lines[0]}",
            where=found,
            fix="Run the same command again: what has come is kept.",
        ) from None


def found_for(model: Model) -> Path:
    """The folder of a model's weights, of which there have to be some.

    Raises:
        Unreachable: they can't be had, with what would help.
    """
    try:
        found = folder_for(model)
    except ModelError as error:  # A download that broke off.
        raise Unreachable(str(error)) from None
    if found is None:
        raise Unreachable(unavailable(model) or f"{model.name} has no weights")
    return found


#: Bytes of a parameter as weights are stored, at most.
_STORED_BYTES = 4


def to_fetch(model: Model, deadline: float = DEADLINE) -> float | None:
    """Bytes of weights that a download would bring; 0 where none is needed, None if not known.

    The Hub is asked for one file's size; of several files, or without the Hub, the catalogue's
    figure tells, at 4 bytes a parameter.
    """
    if model.hub is None or cached_snapshot(model.hub, model.revision) is not None:
        return 0.0
    if reachable(deadline):
        answer = _asked_for(model, checkpoint.WEIGHTS, deadline)
        if answer.status == 200 and answer.size:
            return float(answer.size)
    return None if model.parameters is None else model.parameters * 1e6 * _STORED_BYTES


def unavailable(model: Model, deadline: float = DEADLINE) -> str | None:
    """Why a model's weights can't be had, and what would help; None if they can, or need not.

    Raises:
        ModelError: the Hub says that there is no such model or revision.
    """
    if model.path is not None:
        if Path(model.path).is_dir():
            return None
        return f"the folder {model.path} is gone; name it again with --model {model.name}=PATH"
    if model.hub is None:
        return None
    if cached_snapshot(model.hub, model.revision) is not None:
        return None
    if not reachable(deadline):
        return (
            f"its weights ({model.hub}) are not in the local cache and the Hub is out of reach "
            f"({reason(deadline)}); --model {model.name}=PATH names a local folder instead"
        )
    answer = _asked_for(model, "config.json", deadline)
    if answer.status is None:
        return (
            f"{endpoint()} {answer.trouble} when asked for {model.hub}; "
            f"--model {model.name}=PATH names a local folder instead"
        )
    if answer.code == "GatedRepo" or answer.status == 403:
        return (
            f"{model.hub} wants its terms accepted on the Hub; set HF_TOKEN after that, or give "
            f"--model {model.name}=PATH"
        )
    # The Hub answers 401 for repositories that do not exist, so as not to tell private ones.
    if answer.status in (401, 404):
        missing = (
            f"revision {model.revision} of {model.hub}"
            if answer.code == "RevisionNotFound"
            else f"a model '{model.hub}' with a config.json"
        )
        raise ModelError(
            f"the Hub does not have {missing}",
            where=f"model {model.name}",
            fix=f"Mend its entry in models.yaml, or give --model {model.name}=PATH "
            "(a private model also needs HF_TOKEN).",
        )
    if answer.status >= 400:
        return (
            f"{endpoint()} answered with HTTP status {answer.status} when asked for {model.hub}; "
            f"--model {model.name}=PATH names a local folder instead"
        )
    if all(
        _asked_for(model, file, deadline).status == 404
        for file in (checkpoint.WEIGHTS, checkpoint.INDEX)
    ):
        return (
            f"{model.hub} has no safetensors at this revision, and pickled weights are not read, "
            f"since that can run code. {checkpoint.converted(model.hub)}"
        )
    return None


def _asked_for(model: Model, file: str, deadline: float) -> _Answer:
    """What the Hub says of a file of a model's repository at its revision."""
    revision = quote(model.revision, safe="")
    return _head(f"{endpoint()}/{quote(str(model.hub))}/resolve/{revision}/{file}", deadline)
