"""`suite dashboard`: Optuna Dashboard on a study's storage."""

from __future__ import annotations

import contextlib
import json
import webbrowser
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from suite import redaction
from suite.cli.console import out, say
from suite.cli.options import Storage
from suite.errors import StorageError, StudyError

#: The page may load from here alone: it works offline, and tells nobody what it shows.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:"
)
#: How the names of the suite's own records begin.
RECORDS = "suite:"

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def dashboard(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 shows it to the whole network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8080,
    storage: Storage = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Open Optuna Dashboard on the studies of a storage, while they run or afterwards.

    Trials carry what a person looks for by plain names (macro_f1, train_seconds,
    texts_per_second, ...); a study carries its task, its recipe and its data.

    Examples:

        suite dashboard --open

        suite dashboard --port 0 --storage postgresql+psycopg://suite@db/suite
    """
    from suite.study import storage as storages

    try:
        import optuna_dashboard
    except ImportError:
        raise StudyError(
            "Optuna Dashboard is not installed", fix="Install it with: pip install optuna-dashboard"
        ) from None
    opened = storages.open_storage(storage)
    server = _listen(host, port)
    with server:
        server.set_app(_guarded(optuna_dashboard.wsgi(opened), host))
        url = f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}/"
        out.print(url, markup=False)
        say("Optuna Dashboard shows the studies there. Ctrl-C ends it.")
        if open_page:
            webbrowser.open(url)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever(poll_interval=0.2)
    say("Ended; the studies are as they were.")


def _listen(host: str, port: int) -> Any:
    """A server that listens already; its application is set afterwards.

    Raises:
        StorageError: the port is in use, or the address is not this machine's.
    """
    import errno
    import socket
    import socketserver
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

    class Server(socketserver.ThreadingMixIn, WSGIServer):
        # One long answer must not hold the page.
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def server_bind(self) -> None:
            # The standard one looks the host's name up: slow where no DNS answers.
            socketserver.TCPServer.server_bind(self)
            self.server_name = host
            self.server_port = int(self.socket.getsockname()[1])
            self.setup_environ()

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A browser that hangs up is no news."""

    class Handler(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not logged: the terminal shows the address, and how to end."""

    try:
        return Server((host, port), Handler)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StorageError(
                f"port {port} is in use",
                where="--port",
                fix="Name another port, or --port 0 for any that is free.",
            ) from None
        raise StorageError(
            f"nothing can listen on {host}, port {port}: {error.strerror or error}", where="--host"
        ) from None


def _guarded(application: Any, host: str) -> Application:
    """The application, answering only to its own address, and showing what a person reads.

    A page of another site could reach a local server under a name of its own (DNS rebinding),
    and the dashboard can delete studies.
    """

    # `suite --help` needs nothing of it.
    from suite.endpoint.address import is_loopback, is_this_machine

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if is_loopback(host) and not is_this_machine(f"//{environ.get('HTTP_HOST', '')}"):
            start("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"This dashboard answers to its own address only.\n"]
        told: list[Any] = []
        found: Iterable[bytes] = application(environ, lambda *words: told.append(words))
        status, headers = told[-1][:2]
        if str(environ.get("PATH_INFO", "")).startswith("/api/studies") and status[:3] == "200":
            found = [_without_records(b"".join(found))]
            headers = [(k, v) for k, v in headers if k.lower() != "content-length"]
            headers.append(("Content-Length", str(len(found[0]))))
        start(status, [*headers, ("Content-Security-Policy", _POLICY)])
        return found

    return answer


def _without_records(body: bytes) -> bytes:
    """An answer of the dashboard's API without the suite's own records, and without secrets that
    a study from before may hold.

    They are JSON, thousands of characters in one line, and would push what is for people out of
    sight.
    """

    def cleaned(value: Any) -> Any:
        if isinstance(value, list):
            return [cleaned(item) for item in value if not _is_record(item)]
        if isinstance(value, dict):
            return {key: cleaned(item) for key, item in value.items()}
        return value

    return json.dumps(redaction.cleaned(cleaned(json.loads(body)))).encode()


def _is_record(item: Any) -> bool:
    return isinstance(item, dict) and str(item.get("key", "")).startswith(RECORDS)
