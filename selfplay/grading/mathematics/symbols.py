r"""Characters and words of mathematics: hostile text -> plain ASCII with few LaTeX commands.

Feeds notation.py and the readers of the kinds. Everything that is accepted is in a table here; a
character outside ASCII that is in no table (look-alike letters, zero-width characters,
bidirectional controls) is refused, never dropped. What this does not do: accents, fonts
(`\mathcal`), or any command that is not named here; those stay in the text and no reader takes
them.
"""

import re
import unicodedata

from selfplay.grading.answers import AnswerError

MAX_ANSWER = 2_000
"""Longest answer that is read, in characters."""

FUNCTIONS = frozenset(
    "sin cos tan cot sec csc asin acos atan sinh cosh tanh asinh acosh atanh "
    "exp ln sqrt cbrt abs floor ceil factorial".split()
)
"""Functions of one argument."""
ALIASES = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "tg": "tan",
    "log": "ln", "lg": "log10", "infty": "infinity", "oo": "infinity", "inf": "infinity",
    "Infinity": "infinity", "Inf": "infinity", "Pi": "pi", "varepsilon": "epsilon",
    "vartheta": "theta", "varphi": "phi", "Abs": "abs",
}  # fmt: skip
"""Other spellings of functions, constants and letters. `log` without a base is the natural one."""
LOGARITHMS = {"log10": 10, "log2": 2}
CONSTANTS = frozenset({"pi", "e", "i", "infinity"})
GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega".split()
)
WORDS = FUNCTIONS | ALIASES.keys() | LOGARITHMS.keys() | CONSTANTS | GREEK | {"log"}
"""Every name of two or more letters that is one symbol, in ASCII and after a backslash."""

_CHARACTERS = {
    "\u2212": "-", "\u2013": "-", "\u00d7": "*", "\u00b7": "*", "\u22c5": "*", "\u2219": "*",
    "\u2217": "*", "\u00f7": "/", "\u2044": "/", "\u2215": "/", "\u221e": "\\infty ",
    "\u2264": "<=", "\u2265": ">=", "\u2260": "!=", "\u2208": "\\in ", "\u222a": "\\cup ",
    "\u2229": "\\cap ", "\u2205": "\\emptyset ", "\u211d": "\\mathbb{R}", "\u00b1": "\\pm ",
    "\u2228": " or ", "\u2227": " and ", "\u27e8": "(", "\u27e9": ")", "\u2016": "\\|",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2003": " ", "\u2002": " ", "\u3000": " ",
    "\u00bd": "\\frac{1}{2}", "\u2153": "\\frac{1}{3}", "\u2154": "\\frac{2}{3}",
    "\u00bc": "\\frac{1}{4}", "\u00be": "\\frac{3}{4}", "\u2155": "\\frac{1}{5}",
    "\u215b": "\\frac{1}{8}", "\u00b0": "^\\circ ", "\u03c0": "\\pi ", "\u03c6": "\\phi ",
    "\u03b1": "\\alpha ", "\u03b2": "\\beta ", "\u03b3": "\\gamma ", "\u03b4": "\\delta ",
    "\u03b8": "\\theta ", "\u03bb": "\\lambda ", "\u03bc": "\\mu ", "\u03c3": "\\sigma ",
    "\u03c4": "\\tau ", "\u03c9": "\\omega ", "\u00b5": "\\mu ", "\u03a9": "\\Omega ",
    "\u2126": "\\Omega ", "\u2261": "\\equiv ",
}  # fmt: skip
_FULL_WIDTH = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}
_TABLE = str.maketrans(_CHARACTERS | _FULL_WIDTH)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUPERSCRIPT_RUN = re.compile("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SUBSCRIPT_RUN = re.compile("[₀₁₂₃₄₅₆₇₈₉]+")
_ROOT_OF_NUMBER = re.compile(r"√\s*([0-9]+)")

_SPACES = {name: " " for name in ("\\,", "\\;", "\\:", "\\ ", "\\quad", "\\qquad", "\\>", "\\~")}
_DROPPED = dict.fromkeys(
    ["\\left", "\\right", "\\big", "\\Big", "\\bigg", "\\Bigg", "\\bigl", "\\bigr", "\\Bigl",
     "\\Bigr", "\\biggl", "\\biggr", "\\displaystyle", "\\textstyle", "\\!", "\\nobreak"], ""
)  # fmt: skip
_COMMANDS = {
    **_SPACES, **_DROPPED,
    "\\cdot": "*", "\\times": "*", "\\ast": "*", "\\div": "/", "\\le": "<=", "\\leq": "<=",
    "\\leqslant": "<=", "\\ge": ">=", "\\geq": ">=", "\\geqslant": ">=", "\\lt": "<", "\\gt": ">",
    "\\ne": "!=", "\\neq": "!=", "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\cfrac": "\\frac",
    "\\dbinom": "\\binom", "\\tbinom": "\\binom", "\\%": "%", "\\varnothing": "\\emptyset",
    "\\land": " and ", "\\wedge": " and ", "\\lor": " or ", "\\vee": " or ", "\\lbrace": "\\{",
    "\\rbrace": "\\}", "\\lbrack": "[", "\\rbrack": "]", "\\langle": "(", "\\rangle": ")",
    "\\degree": "^\\circ", "\\bar": "\\overline", "\\backslash": "\\setminus",
    "\\bigcup": "\\cup", "\\bigcap": "\\cap", "\\infin": "\\infty",
    "\\(": " ", "\\)": " ", "\\[": " ", "\\]": " ",
    "\\dots": "\\ldots", "\\cdots": "\\ldots", "\\dotsc": "\\ldots", "\\R": "\\mathbb{R}",
    "\\vert": "|", "\\mid": "|",
}  # fmt: skip
_WRAPPED = re.compile(
    r"\\(?:text|mathrm|textrm|textbf|textit|mathbf|mathit|mathsf|mbox|operatorname\*?|bf"
    r"|rm|pmb|bm|boldsymbol)"
    r"\s*\{([^{}]*)\}|\\(?:mathrm|rm)\s+([A-Za-z])|\\mathcal\s*\{\s*(O)\s*\}"
)
_NARROWED = re.compile(r", *\\! *")
_DOLLAR = re.compile(r"(?<!\\)\$")
_COMMAND = re.compile(
    r"\\(?:left|right)\s*(?:\||\.(?![0-9]))|\\[A-Za-z]+|\\[^A-Za-z]"  # \right. closes nothing
)


def normalise(text: str) -> str:
    r"""The same mathematics in ASCII, spacing, sizing and $ gone, one name a symbol.

    Args:
        text: the answer, of any content.
    Returns:
        ASCII text; the LaTeX commands that remain are those that notation.py and the kinds know,
        and whatever no table names.
    Raises:
        AnswerError: longer than `MAX_ANSWER`, a control character, or a character of no table.
    """
    if len(text) > MAX_ANSWER:
        raise AnswerError("too long", f"an answer of {len(text)} characters; {MAX_ANSWER} are read")
    if not text.isascii():
        text = _to_ascii(text)
    if not text.isprintable():
        text = refuse_controls(text)
    if "\\" in text:
        text = _NARROWED.sub(",", text)  # 11,\\! 111 is one number
        text = _COMMAND.sub(_replace_command, _WRAPPED.sub(_unwrap, text))
    if "$" in text and len(_DOLLAR.findall(text)) % 2 == 0:
        text = _DOLLAR.sub(" ", text)
    text = text.strip()
    return text[:1] + text[1:].replace("~", " ")  # a ~ that comes first says "about"


def refuse_controls(text: str) -> str:
    """The text, if no character of it is invisible; line breaks and tabs become spaces.

    Raises:
        AnswerError: a control, zero-width, bidirectional or unassigned character.
    """
    text = text.replace("\n", " ").replace("\t", " ").replace("\r", " ")
    for character in text:
        if unicodedata.category(character)[0] == "C":
            raise AnswerError("character", f"U+{ord(character):04X} is not allowed in an answer")
    return text


def _to_ascii(text: str) -> str:
    text = _ROOT_OF_NUMBER.sub(r"\\sqrt{\1}", text).replace("√", "\\sqrt ")
    text = _SUPERSCRIPT_RUN.sub(lambda run: f"^{{{run[0].translate(_SUPERSCRIPTS)}}}", text)
    text = _SUBSCRIPT_RUN.sub(lambda run: f"_{{{run[0].translate(_SUBSCRIPTS)}}}", text)
    text = text.translate(_TABLE)
    for character in text:
        if not character.isascii():
            name = unicodedata.name(character, "without a name")
            raise AnswerError("character", f"U+{ord(character):04X} ({name}) is not read")
    return text


def _unwrap(wrapped: re.Match[str]) -> str:
    inner = (wrapped[1] or wrapped[2] or wrapped[3] or "").strip()
    return f"\\{inner} " if inner in WORDS and len(inner) > 1 else f" {inner} "


def _replace_command(command: re.Match[str]) -> str:
    name = command[0]
    if name[-1] == "." and len(name) > 2:
        return ""
    if name[-1] == "|" and len(name) > 2:
        return "\\lvert " if name.startswith("\\left") else "\\rvert "
    return _COMMANDS.get(name, name)
