"""How likely given answers are as the beginning of a reply, from what a server shows: its most likely tokens, or text.

A server lists the 20 most likely tokens of a place. A token that begins only one of the answers counts for it, and the
answer's other tokens are taken as certain: exact for answers of one token, an upper bound for longer ones ("Ger" for
Germany). Where several answers begin alike, one more request goes on from what they share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

LISTED = 20  # tokens; the most that vLLM and OpenAI list by default
SAMPLES = 16  # replies per prompt where a server shows no probabilities: a share of 1/2 to within 1/8 (one sigma)
FLOOR = 1e-9  # of an answer that is nowhere to be seen: far below what a listed token can have (about 1e-3)
_NOT_WORTH = 1e-3  # a beginning that is less likely is not followed, and what it has is split: it decides nothing
_PSEUDO_COUNT = 0.5  # Jeffreys' prior of a share: an answer that no sample gave is rare, and not impossible
_PSEUDO_COUNTS = 1.0  # of all answers together at most, else 280 countries would outweigh 16 replies

Table = Mapping[str, float]  # token -> probability, of the most likely ones


def from_tables(answers: Sequence[str], table_after: Callable[[str], Table]) -> list[float]:
    """Return ln of each answer's probability.

    An answer that no listed token begins gets what it can have at most: the least listed probability, or its share of
    what is not listed, whichever is less.

    Args:
        answers: No two are the same.
        table_after: Asks for the tokens that follow these first characters of the reply; asked for "" first.
    """
    found: dict[str, float] = {}
    _walk("", 1.0, list(answers), table_after, found)
    return [math.log(max(found[answer], FLOOR)) for answer in answers]


def _walk(
    prefix: str, reached: float, answers: list[str], table_after: Callable[[str], Table], found: dict[str, float]
) -> None:
    """Share what `reached` the prefix among the answers that go on from it."""
    table = _joined(table_after(prefix), at_beginning=not prefix)
    alone = dict.fromkeys(answers, 0.0)
    shared: dict[tuple[str, ...], dict[str, float]] = {}  # answers -> the tokens that begin all of these
    for token, probability in table.items():
        begun = tuple(answer for answer in answers if answer[len(prefix) :].startswith(token))
        if len(begun) == 1:
            alone[begun[0]] += probability
        elif begun:
            shared.setdefault(begun, {})[token] = probability
    seen = {answer for answer, probability in alone.items() if probability} | {a for group in shared for a in group}
    unseen = len(answers) - len(seen)
    missing = max(0.0, 1.0 - sum(table.values()))
    bound = min(min(table.values(), default=1.0), missing / unseen) if unseen else 0.0
    for answer in answers:
        found[answer] = found.get(answer, 0.0) + reached * (alone[answer] if answer in seen else bound)
    for group, tokens in shared.items():
        share = reached * sum(tokens.values())
        if share < _NOT_WORTH:
            for answer in group:
                found[answer] += share / len(group)
            continue
        likeliest = max(tokens, key=lambda token: (tokens[token], len(token)))
        _go_on(prefix + likeliest, share, list(group), table_after, found)


def _go_on(
    prefix: str, reached: float, answers: list[str], table_after: Callable[[str], Table], found: dict[str, float]
) -> None:
    """An answer that ends here is complete ("1" before "10"): as a beginning it is as likely as what leads to it."""
    if prefix in answers:
        found[prefix] = found.get(prefix, 0.0) + reached
        answers = [answer for answer in answers if answer != prefix]
    if answers:
        _walk(prefix, reached, answers, table_after, found)


def _joined(table: Table, *, at_beginning: bool) -> dict[str, float]:
    """Tokens that differ in the space before the first word are one; those that show nothing begin nothing."""
    joined: dict[str, float] = {}
    for token, probability in table.items():
        shown = token.lstrip() if at_beginning else token
        # Nothing shown still holds mass: kept under a name that no answer begins with.
        name = shown or f"\0{token}"
        joined[name] = joined.get(name, 0.0) + probability
    return joined


def from_samples(answers: Sequence[str], replies: Sequence[str]) -> list[float]:
    """Return ln of each answer's share of the replies that begin with it; uniform and at the floor where none does."""
    counts = dict.fromkeys(answers, 0)
    for reply in replies:
        said = [answer for answer in answers if reply.lstrip().startswith(answer)]
        if said:
            counts[max(said, key=len)] += 1
    if not any(counts.values()):
        return [math.log(FLOOR)] * len(answers)
    pseudo = min(_PSEUDO_COUNT, _PSEUDO_COUNTS / len(answers))
    total = len(replies) + pseudo * (len(answers) + 1)  # one more for all other replies
    return [math.log((counts[answer] + pseudo) / total) for answer in answers]
