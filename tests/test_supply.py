"""What is installed: pinned, hashed, listed, and asked about."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from conftest import PATIENCE
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(
        r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE
    )
}
HASHED = (ROOT / "requirements.hashed.txt").read_text()


def test_every_file_to_be_installed_has_its_hashes_and_no_address():
    found = {}
    for block in re.split(r"\n(?=\S)", HASHED.strip()):
        first, *hashes = re.split(r" \\\n +", block)
        name, version = first.partition(";")[0].strip().split("==")
        assert hashes and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", h) for h in hashes), name
        found[canonicalize_name(name)] = version
    for word in ("://", "index", "find-links", "trusted-host", "@", "file:"):
        assert word not in HASHED
    assert len(found) > 150 and {"torch", "transformers", "hatchling", "pytest"} <= set(found)
    other = {name: v for name, v in found.items() if PINS.get(name, v) != v}
    assert not other, "make hashes: constraints.txt has changed"
    # An environment has its own setuptools before anything is installed.
    assert set(found) - set(PINS) <= {"setuptools"}


@pytest.mark.parametrize(
    ("service", "code", "told"),
    [("clean", 0, "no known"), ("vulnerable", 1, "lib 1.0: GHSA-1"), ("mirror", 75, "NOT DONE"),
     ("unreachable", 75, "NOT DONE")],
)  # fmt: skip
def test_an_audit_that_found_nothing_out_is_no_clean_one(tmp_path, service, code, told):
    """Against a pip-audit of the tests' own: a mirror knows of no vulnerability of any version."""
    fake = tmp_path / "pip-audit"
    fake.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib, sys\n"
        "words = sys.argv\n"
        "pins = pathlib.Path(words[words.index('--requirement') + 1]).read_text()\n"
        f"service, canary = {service!r}, 'jinja2' in pins\n"
        "if service == 'unreachable':\n"
        "    sys.exit('no such host')\n"
        "bad = service != 'mirror' and (canary or service == 'vulnerable')\n"
        "vulns = [{'id': 'GHSA-1', 'fix_versions': ['1.1']}] if bad else []\n"
        "found = {'dependencies': [{'name': 'lib', 'version': '1.0', 'vulns': vulns}]}\n"
        "pathlib.Path(words[words.index('--output') + 1]).write_text(json.dumps(found))\n"
        "sys.exit(bool(vulns))\n"
    )
    fake.chmod(0o755)
    (tmp_path / "pins").write_text("lib==1.0\n")
    ended = subprocess.run(
        [ROOT / ".ci" / "audit", fake, tmp_path / "pins"],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert ended.returncode == code and told in ended.stdout + ended.stderr


def test_the_list_of_what_is_installed_has_the_installed_versions(tmp_path):
    tool = Path(sys.prefix).with_name(Path(sys.prefix).name + "-tools") / "bin" / "cyclonedx-py"
    if not tool.exists():
        pytest.skip("cyclonedx-bom is not installed here; `make sbom` installs it")
    target = tmp_path / "sbom.json"
    subprocess.run(
        [tool, "environment", "--pyproject", ROOT / "pyproject.toml", "--output-reproducible",
         "--output-format", "JSON", "--output-file", target, sys.executable],
        check=True, capture_output=True, timeout=PATIENCE,
    )  # fmt: skip
    found = json.loads(target.read_text())
    assert found["bomFormat"] == "CycloneDX"
    listed = {canonicalize_name(one["name"]): one.get("version") for one in found["components"]}
    for name in ("torch", "transformers", "uvicorn", "h11", "optuna"):
        assert listed[name] == metadata.version(name)
    installed = {canonicalize_name(d.metadata["Name"]) for d in metadata.distributions()}
    assert installed - set(listed) <= {"suite"}
