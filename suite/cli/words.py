"""What is wrong with the words of a command line, in one message of the suite's own form."""

from __future__ import annotations

import functools
import inspect
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from suite.cli.console import is_quiet, is_verbose, set_volume, speak
from suite.cli.language import Lang, chosen
from suite.errors import UsageError, closest, nearest

Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Also tell what is done on the way, and what went wrong."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the outcome.")]


#: What others call a command, and which it is here.
_CALLED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("fit", "train", "tune", "search", "optimize", "optimise", "automl", "start", "init"),
        ("study", "create"),
    ),
    **dict.fromkeys(("resume", "continue", "join"), ("study", "run")),
    **dict.fromkeys(("ls", "studies"), ("study", "list")),
    **dict.fromkeys(("leaderboard", "results", "status", "trials"), ("study", "show")),
    **dict.fromkeys(("winner", "recommend"), ("study", "best")),
    **dict.fromkeys(("rm", "remove", "drop"), ("study", "delete")),
    **dict.fromkeys(("test", "evaluate", "eval", "score"), ("finals",)),
    **dict.fromkeys(("classify", "infer", "inference"), ("predict",)),
    **dict.fromkeys(("benchmark", "speed"), ("bench",)),
    **dict.fromkeys(("save", "package"), ("export",)),
    **dict.fromkeys(("deploy", "api", "server"), ("serve",)),
    **dict.fromkeys(("page", "html", "plot"), ("report",)),
    **dict.fromkeys(("distill",), ("distil",)),
    **dict.fromkeys(("validate", "lint"), ("task", "check")),
}

#: Characters of an example that a terminal of 80 columns shows on one line.
_ROOM = 76


class Group(TyperGroup):
    """A group of commands that knows what a mistyped command meant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command the first word names.

        Raises:
            UsageError: there is none; names the nearest, or where a command of that name is.
        """
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            raise UsageError(
                f"no such command '{name}' in `{ctx.command_path}`", fix=self._meant(ctx, args)
            )
        return super().resolve_command(ctx, args)

    def _meant(self, ctx: Any, args: list[str]) -> str:
        name, root = args[0], ctx.find_root()
        program = root.info_name or "suite"
        # What the command was to be about comes with it, so that the line can be pasted.
        about = [arg for arg in args[1:2] if not arg.startswith("-")]
        if name == "run":
            return (
                f"Did you mean `{shlex.join([program, 'study', 'create', *(about or ['TASK'])])}`, "
                f"or, of a study that exists, `{shlex.join([program, 'study', 'run'])} NAME`?"
            )
        elsewhere = [path for path in _paths(root.command) if path[-1] == name]
        if not elsewhere and name.lower() in _CALLED:
            elsewhere = [_CALLED[name.lower()]]
        if elsewhere:
            named = " or ".join(
                f"`{shlex.join([program, *path, *about])}`" for path in elsewhere[:3]
            )
            return f"Did you mean {named}?"
        return nearest(name, [n for n, command in self.commands.items() if not command.hidden])


def _paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, inner in getattr(command, "commands", {}).items():
        yield (*path, name)
        yield from _paths(inner, (*path, name))


def examples(command: Any) -> list[str]:
    """The example command lines in a command's help."""
    _, heading, rest = (command.help or "").partition("Example")
    lines = rest.replace(_FOLD, " ").splitlines()[1:] if heading else []
    return [line.strip() for line in lines if line.strip(" `")]


def _verbatim(text: str | None) -> str | None:
    """Help whose examples are code to Markdown, which else reads two globs as emphasis."""
    summary, heading, lines = inspect.cleandoc(text or "").partition("Examples:\n")
    if not heading:
        return text
    shown = "\n".join(map(_folded, inspect.cleandoc(lines).splitlines()))
    return f"{summary}{heading}\n```\n{shown}\n```"


#: How a command goes on in the next line, for the shell as well.
_FOLD = " \\\n    "


def _folded(example: str) -> str:
    """An example that is wider than a terminal, in lines that are pasted as one command."""
    lines, rest = [], example
    while len(rest) > _ROOM:
        places = [found.start() for found in re.finditer(r" (?=--|\| )", rest[:_ROOM])]
        # Within quotes a line must not break.
        places = [place for place in places if rest[:place].count("'") % 2 == 0]
        if not places or not places[-1]:
            break
        lines.append(rest[: places[-1]])
        rest = rest[places[-1] + 1 :]
    return _FOLD.join([*lines, rest])


def mended(problem: Any) -> UsageError:
    """A usage error of typer's (they have no public class in common), as one of the suite's."""
    ctx = getattr(problem, "ctx", None)
    what = str(problem.format_message()).strip().rstrip(".")
    what = what[:1].lower() + what[1:]
    if ctx is None:
        return UsageError(what)
    path = ctx.command_path
    kind = type(problem).__name__
    help_line = f"See `{path} --help`."
    if kind == "NoSuchOption":
        options = [o for p in ctx.command.get_params(ctx) for o in (*p.opts, *p.secondary_opts)]
        options = [option for option in options if option.startswith("-")]
        guess = closest(problem.option_name, options)
        return UsageError(
            f"no such option {problem.option_name} in `{path}`",
            fix=f"Did you mean {guess}? {help_line}" if guess else help_line,
        )
    if kind == "MissingParameter" and problem.param is not None:
        what = (
            f"{problem.param.param_type_name} {problem.param.display_name_raw.upper()} is missing"
        )
    shown = next(iter(examples(ctx.command)), None)
    if shown is not None and (kind == "MissingParameter" or "unexpected extra" in what):
        help_line = f"For example: {shown}"
    return UsageError(what, where=f"`{path}`", fix=help_line)


def with_volume(app: typer.Typer) -> None:
    """Gives every command of an app, and of the groups in it, --quiet, --verbose and --lang."""
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _listening(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            with_volume(group.typer_instance)
            group.typer_instance.info.help = _verbatim(group.typer_instance.info.help)


def _listening(function: Callable[..., Any]) -> Callable[..., Any]:
    if hasattr(function, "hears_volume"):
        return function
    signature = inspect.signature(function, eval_str=True)
    own = signature.parameters
    extra = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
        for name, annotation, default in (
            ("quiet", Quiet, False),
            ("verbose", Verbose, False),
            ("lang", Lang, None),
        )
        if name not in own
    ]

    @functools.wraps(function)
    def command(**given: Any) -> Any:
        heard(
            quiet=bool(given.get("quiet")),
            verbose=bool(given.get("verbose")),
            lang=given.get("lang"),
        )
        if "quiet" in own:
            given["quiet"] = is_quiet()  # It may have stood before the command.
        return function(**{name: value for name, value in given.items() if name in own})

    changed: Any = command
    changed.__signature__ = signature.replace(parameters=[*own.values(), *extra])
    changed.__annotations__ = {p.name: p.annotation for p in (*own.values(), *extra)}
    changed.__doc__ = _verbatim(function.__doc__)
    changed.hears_volume = True
    del changed.__wrapped__
    return command


def heard(*, quiet: bool, verbose: bool, lang: str | None) -> None:
    """Sets volume and language to what was asked for here or before.

    Raises:
        UsageError: quiet and verbose were both asked for.
        ReportError: the language is not spoken here.
    """
    if lang is not None:
        speak(chosen(lang).language)
    set_volume(quiet=quiet or None, verbose=verbose or None)
    if is_quiet() and is_verbose():
        raise UsageError("--quiet and --verbose contradict each other", fix="Give one of them.")
