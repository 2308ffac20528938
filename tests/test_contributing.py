"""CONTRIBUTING.md held against the house: its rooms are the import contract's."""

import re
import tomllib

from documents import ROOT, between, read, table, ticked

import suite


def floors():
    """The layers of the import contract, top first, each the names that stand side by side."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers" and contract["containers"] == ["suite"]
    ]
    return [sorted(name.strip() for name in layer.split("|")) for layer in layers]


def room(name):
    return name.removesuffix("/").removesuffix(".py")


def test_the_rooms_told_are_the_layers_of_the_import_contract():
    (text,) = between("CONTRIBUTING.md", "rooms")
    told = [sorted(room(name) for name in ticked(row[0])) for row in table(text)]
    assert told == floors()
    for name in (name for row in table(text) for name in ticked(row[0])):
        assert (ROOT / "suite" / name).exists(), name


def test_the_package_tells_the_same_rooms():
    told = re.findall(r"^    (?=\w)(.*?)(?:  |$)", suite.__doc__, re.M)
    names = [room(name.strip()) for line in told for name in line.split(",")]
    order = {name: floor for floor, names in enumerate(floors()) for name in names}
    assert set(names) == set(order)
    assert [order[name] for name in names] == sorted(order.values())


def test_ten_changes_are_worked_each_with_files_that_are_there():
    text = read("CONTRIBUTING.md").partition("## Ten changes, worked")[2]
    _, *parts = re.split(r"^### (.+)$", text, flags=re.M)
    changes = dict(zip(parts[::2], parts[1::2], strict=True))
    assert len(changes) == 10
    for change, steps in changes.items():
        files = [name for line in re.findall(r"^- (.*?):", steps, re.M) for name in ticked(line)]
        assert files, change
        for name in files:
            path = ROOT / name
            assert path.parent.is_dir() if path.stem == "NAME" else path.is_file(), (change, name)
