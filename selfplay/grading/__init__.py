"""Text that nobody trusts becomes a Verdict: final answers, expressions, worked chains."""

from selfplay.grading.answers import (
    AnswerError,
    final_answer,
    grade_integer,
    grade_rational,
    integer,
    rational,
    unreadable,
)
from selfplay.grading.expressions import (
    BinaryOperation,
    ExpressionError,
    Integer,
    Negate,
    Node,
    Variable,
    canonical,
    evaluate,
    parse,
    to_text,
)
from selfplay.grading.rewriting import chain

__all__ = [
    "AnswerError",
    "BinaryOperation",
    "ExpressionError",
    "Integer",
    "Negate",
    "Node",
    "Variable",
    "canonical",
    "chain",
    "evaluate",
    "final_answer",
    "grade_integer",
    "grade_rational",
    "integer",
    "parse",
    "rational",
    "to_text",
    "unreadable",
]
