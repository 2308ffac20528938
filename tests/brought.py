"""Packages of somebody else, pretended to be installed."""

import importlib
import shutil
import sys

ENGINE = """\
from suite.serving.engines.as_kept import PythonEngine

class Later(PythonEngine):
    name = "later"
    versions = None

    def precisions(self, kept):
        return ("float32", "int4") if kept.kind == "python" else ()

    def refuses(self, kept, precision):
        return "no such units" if precision == "int4" else None
"""


def install(folder, monkeypatch, name, version, entry_points="", code=""):
    """A distribution of one module, in place of an earlier version of it."""
    for earlier in folder.glob(f"{name}-*.dist-info"):
        shutil.rmtree(earlier)
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(entry_points)
    (folder / f"{name}.py").write_text(code)
    if str(folder) not in sys.path:
        monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
