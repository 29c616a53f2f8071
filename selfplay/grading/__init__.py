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
from selfplay.grading.kinds import (
    Checker,
    Kind,
    declare,
    grade_answer,
    grade_response,
    infer,
)
from selfplay.grading.rewriting import chain

__all__ = [
    "AnswerError",
    "BinaryOperation",
    "Checker",
    "ExpressionError",
    "Integer",
    "Kind",
    "Negate",
    "Node",
    "Variable",
    "canonical",
    "chain",
    "declare",
    "evaluate",
    "final_answer",
    "grade_answer",
    "grade_integer",
    "grade_rational",
    "grade_response",
    "infer",
    "integer",
    "parse",
    "rational",
    "to_text",
    "unreadable",
]
