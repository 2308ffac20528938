"""What may follow a prompt, several continuations read at once: a tree of their tokens.

Continuations that begin alike share the tokens of their beginning. A decoder that lets each node
see the prompt and its own beginning reads all of them in one pass, behind a prompt read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch


@dataclass(frozen=True)
class Tree:
    """Tokens behind a prompt.

    Args:
        ids: of each node; a node stands behind its parent.
        parents: the node before each, -1 for the prompt's end.
        paths: node of each beginning, by its tokens.
    """

    ids: tuple[int, ...]
    parents: tuple[int, ...]
    paths: dict[tuple[int, ...], int]

    @classmethod
    def of(cls, continuations: Sequence[Sequence[int]]) -> Tree:
        """The tree whose nodes are these continuations and their beginnings.

        >>> tree = Tree.of([[5, 6], [5, 7]])
        >>> tree.ids, tree.parents
        ((5, 6, 7), (-1, 0, 0))
        """
        parents: list[int] = []
        paths: dict[tuple[int, ...], int] = {}
        for tokens in continuations:
            for end in range(1, len(tokens) + 1):
                path = tuple(map(int, tokens[:end]))
                if path not in paths:
                    paths[path] = len(parents)
                    parents.append(paths.get(path[:-1], -1))
        return cls(tuple(path[-1] for path in paths), tuple(parents), paths)

    def place(self, tokens: Sequence[int]) -> int:
        """The node at the end of some tokens; -1, the prompt's end, for none."""
        return self.paths[tuple(map(int, tokens))] if tokens else -1

    @cached_property
    def depths(self) -> torch.Tensor:
        """Int64 [nodes]: tokens from the prompt's end, 1 for what follows it at once."""
        found: list[int] = []
        for parent in self.parents:
            found.append(1 + (found[parent] if parent >= 0 else 0))
        return torch.tensor(found, dtype=torch.int64)

    @cached_property
    def sees(self) -> torch.Tensor:
        """Bool [nodes, nodes]: each node sees itself and its beginning."""
        found = torch.eye(len(self.ids), dtype=torch.bool)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                found[node] |= found[parent]
        return found
