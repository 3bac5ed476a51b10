"""What to ask a person next: questions about what no embedded tool sees, the most telling first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from geosleuth.agent.inquiry import Statement
from geosleuth.agent.localization import AskedQuestion, Choice
from geosleuth.tools.evidence import Evidence

_MOST = 4  # questions; more are not read


def asked_questions(
    shares: Mapping[str, float], statements: Sequence[Statement], evidence: Sequence[Evidence]
) -> tuple[AskedQuestion, ...]:
    """Return the questions whose answers are expected to tell most about the country.

    Args:
        shares: The belief, by ISO 3166-1 alpha-2 code.
        statements: What the investigator has answered already is not asked again, nor what would be wrong with it:
            of such answers one counts.
        evidence: Which script is to be seen is not asked where signs were read.
    """
    from geosleuth.tools.observations import QUESTIONS, most_telling

    given = {one.question for one in statements if one.kind == "observation"}
    sources = {question.source_of_error for question in QUESTIONS.values() if question.key in given}
    answered = {question.key for question in QUESTIONS.values() if question.source_of_error in sources}
    if any(one.type == "reading.script" for one in evidence):
        answered.add("script")
    return tuple(
        AskedQuestion(
            key=question.key,
            text=question.text,
            options=tuple(Choice(key=option.key, text=option.text) for option in question.options),
            expected_bits=bits,
            source=question.source,
        )
        for question, bits in most_telling(shares, answered, _MOST)
    )
