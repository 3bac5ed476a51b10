"""Probabilities of given answers: of one token from the prompt's own pass, of more in one further pass for all.

The tokens of all answers form a tree: answers that begin alike share their first tokens, and each token sees only the
prompt and what stands before it in its own answer. So 250 country names take one pass over 600 tokens, not 250 passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.tools.vlm.prefix import Batch, cache_of, shaped

if TYPE_CHECKING:
    from geosleuth.tools.vlm.loaded import LoadedBase

Answer = tuple[int, ...]
# Tokens of one pass, over all rows: their logits over 150,000 words take 155 MB in single precision.
_AT_ONCE = 256


@dataclass(frozen=True)
class Node:
    """A token of the tree that has others after it."""

    path: Answer  # from the answers' first token to this one
    parent: int  # index in the tree, -1 for a first token


def tree_of(answers: Sequence[Answer]) -> list[Node]:
    """Return each beginning of an answer once, parents before children; whole answers are not in it.

    >>> [node.path for node in tree_of([(5,), (5, 6, 7), (5, 6, 8), (9, 6)])]
    [(5,), (5, 6), (9,)]
    """
    nodes: list[Node] = []
    places: dict[Answer, int] = {(): -1}
    for answer in answers:
        for length in range(1, len(answer)):
            path = answer[:length]
            if path not in places:
                places[path] = len(nodes)
                nodes.append(Node(path, places[path[:-1]]))
    return nodes


def score(base: LoadedBase, batch: Batch, answers: Sequence[Answer]) -> NDArray[np.float64]:
    """Log-probabilities (rows, answers) of the answers' tokens after the prompts of the batch."""
    torch = import_vlm("torch")
    first = torch.log_softmax(batch.logits, dim=-1)
    steps: dict[tuple[Answer, int], NDArray[np.float64]] = {}  # (what stands before, token) -> one value per row
    for token in {answer[0] for answer in answers}:
        steps[(), token] = first[:, token].double().cpu().numpy()
    for some in _groups(answers):
        nodes = tree_of(some)
        rows = max(1, _AT_ONCE // len(nodes))
        parts = [_read_tree(base, batch, slice(row, row + rows), nodes, some) for row in range(0, len(batch), rows)]
        for key in parts[0]:
            steps[key] = np.concatenate([part[key] for part in parts])
    totals = [sum(steps[answer[:i], answer[i]] for i in range(len(answer))) for answer in answers]
    return np.stack([np.asarray(total) for total in totals], axis=1)


def _groups(answers: Sequence[Answer]) -> list[list[Answer]]:
    """Divide the answers of several tokens into trees of at most `_AT_ONCE` tokens; those that begin alike together."""
    groups: list[list[Answer]] = []
    for answer in sorted({answer for answer in answers if len(answer) > 1}):
        if groups and len(tree_of([*groups[-1], answer])) <= _AT_ONCE:
            groups[-1].append(answer)
        else:
            groups.append([answer])
    return groups


def _read_tree(
    base: LoadedBase, batch: Batch, rows: slice, nodes: Sequence[Node], answers: Sequence[Answer]
) -> dict[tuple[Answer, int], NDArray[np.float64]]:
    torch = import_vlm("torch")
    mask = batch.mask[rows]
    count = len(mask)
    depths = torch.tensor([len(node.path) - 1 for node in nodes], device=base.device)
    positions = (batch.next_positions[rows][:, None] + depths)[None]
    planes = 3 if base.is_spatial else 1
    logits = base.model(
        input_ids=torch.tensor([[node.path[-1] for node in nodes]], device=base.device).expand(count, -1),
        attention_mask=_sight(mask, nodes),
        position_ids=shaped(positions.expand(planes, -1, -1)),
        past_key_values=cache_of(batch.layers(rows)),
        use_cache=True,
    ).logits
    log_probabilities = torch.log_softmax(logits.float(), dim=-1)
    places = {node.path: index for index, node in enumerate(nodes)}
    wanted = {(answer[:i], answer[i]) for answer in answers for i in range(1, len(answer))}
    return {
        (path, token): log_probabilities[:, places[path], token].double().cpu().numpy()
        for path, token in sorted(wanted)
    }


def _sight(mask: Any, nodes: Sequence[Node]) -> Any:
    """What each token of the tree sees: (rows, 1, nodes, prompt and nodes), True where it does."""
    torch = import_vlm("torch")
    own = np.eye(len(nodes), dtype=bool)
    for index, node in enumerate(nodes):
        if node.parent >= 0:
            own[index] |= own[node.parent]
    before = mask[:, None, None, :].expand(-1, 1, len(nodes), -1)
    after = torch.from_numpy(own).to(mask.device)[None, None].expand(len(mask), 1, -1, -1)
    return torch.cat([before, after], dim=-1)
