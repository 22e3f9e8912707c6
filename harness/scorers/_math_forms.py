"""Normal forms of mathematical answers: equal strings mean equal answers, whatever sympy can read.

After `_strip_string` of Hendrycks et al. 2021 (`math_equivalence.py` of the MATH repository, also in
lm-evaluation-harness under `hendrycks_math`), with Unicode and Chinese forms added. Its rule that reads `0.5` as
`\\frac{1}{2}` and its removal of `x=` are left to sympy, which does both in general; and `%` stays, since 0.5 is not
0.5%.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from harness.scorers._quantities import Quantity
from harness.text import fold_punctuation, fold_width, normalise

VERSION = 1

_SYMBOLS = str.maketrans(
    {
        "π": r"\pi ", "∞": r"\infty ", "×": r"\times ", "÷": "/", "·": r"\cdot ", "⋅": r"\cdot ", "∗": "*",
        "≤": r"\le ", "≦": r"\le ", "⩽": r"\le ", "≥": r"\ge ", "≧": r"\ge ", "⩾": r"\ge ", "≠": r"\ne ",
        "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∅": r"\emptyset ", "±": r"\pm ", "∓": r"\mp ", "θ": r"\theta ",
        "α": r"\alpha ", "β": r"\beta ", "λ": r"\lambda ", "°": r"^\circ ", "∘": r"^\circ ", "≈": r"\approx ",
    }
)  # fmt: skip
_WRAPPERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
_ROOT = re.compile(r"√\s*(?:\(([^()]*)\)|\{([^{}]*)\}|([0-9]+(?:\.[0-9]+)?|[A-Za-z]))")
_ROOT_CALL = re.compile(r"(?<![\\A-Za-z])sqrt\s*\(([^()]*)\)")
_POWER = re.compile(r"\*\*\s*(?:\(([^()]*)\)|(-?[0-9A-Za-z.]+))")
_WORD = re.compile(r"(?<![\\A-Za-z])(pi|infinity|infty|oo|inf)(?![A-Za-z])")
_WORDS = {"pi": r"\pi ", "infinity": r"\infty ", "infty": r"\infty ", "oo": r"\infty ", "inf": r"\infty "}
_MIXED = re.compile(r"(?<![\d.])(\d+)\s+(\d+)\s?/\s?(\d+)(?![\d.])")
_MIXED_FRAC = re.compile(r"(?<=\d)\s+(?=\\[dt]?frac)")
_GROUPING = re.compile(r"(?<=\d)(?:\{,\}|,?\\[,!]|,\\!)\s*(?=\d{3})")
_STYLE = re.compile(r"\\(?:displaystyle|textstyle|limits|left|right|[bB]igg?[lr]?|tilde)(?![A-Za-z])\s*")
# Not in the line break of a matrix, which is two backslashes and a space.
_SPACING = re.compile(r"(?<!\\)\\(?:[,;:!> ]|q?quad(?![A-Za-z]))|~")
_DEGREES = re.compile(
    r"\^\s*(?:\\circ(?![A-Za-z])|\{\s*\\circ\s*\})|\\(?:degree|deg)(?![A-Za-z])|\\text\{\s*degrees?\s*\}"
)
_UNIT = re.compile(r"(?<=[\d})])\s*\\(?:text|mathrm|mbox|textrm|rm)\s*\{\s*[^{}]*\}(?:\s*\^\s*\{?[23]\}?)?\s*$")
_CURRENCY = re.compile(r"\\[$]|(?<![^\s-])([-]?)[$¥€£]\s*(?=[\d.])")
_FRACTION = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_SHORT_FRACTION = re.compile(r"\\frac\s*(\{[^{}]*\}|\d)\s*(\{[^{}]*\}|\d)")
_SHORT_ROOT = re.compile(r"\\sqrt\s*(\d|[A-Za-z])")
_SLASH = re.compile(r"^(-?)(\d+)/(\d+)$")
_SPACES = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
_THOUSANDS = re.compile(r"^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_NUMBER = re.compile(r"^-?(?:\d+(?:\.\d*)?|\.\d+)$")
_BASE = re.compile(r"^(-?\d[0-9A-Fa-f]*)\s*_\s*(?:\{\s*(?:\\text\s*\{\s*)?(\w+)[\s}]*\}|(\d+))\s*$")
_BASE_WORDS = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
               "nine": "9", "ten": "10", "twelve": "12", "sixteen": "16"}  # fmt: skip
_TEXT = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")

# Latin words that an expression may hold; any other word of two letters makes a text of it.
_FUNCTIONS = frozenset(
    ("sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log", "ln", "lg",
     "exp", "sqrt", "pi", "inf", "infinity", "infty", "oo", "max", "min", "gcd", "lcm", "mod", "det", "and", "or",
     "dx", "dy", "dt", "ab", "ac", "bc", "abc", "xy", "xz", "yz", "xyz")
)  # fmt: skip
_LATIN = re.compile(r"[A-Za-z]{2,}")
_COMMANDS = re.compile(r"\\[A-Za-z]+|\\.")
_NO_WORD = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|operatorname|begin|end)\s*\{[^{}]*\}")
_HAN = re.compile(r"[\u3400-\u9fff]")


@lru_cache(maxsize=65_536)
def tidy(latex: str) -> str:
    """LaTeX as a parser reads it best: Unicode and calculator notation written in LaTeX, delimiters and styles out."""
    text = _unwrapped(fold_punctuation(fold_width(latex)).strip())
    text = _ROOT.sub(lambda m: rf"\sqrt{{{m[1] or m[2] or m[3]}}}", text)
    text = _ROOT_CALL.sub(r"\\sqrt{\1}", text)
    text = _POWER.sub(lambda m: f"^{{{m[1] or m[2]}}}", text)
    text = _WORD.sub(lambda m: _WORDS[m[1]], text).translate(_SYMBOLS)
    text = _GROUPING.sub("", text)
    text = _FRACTION.sub(r"\\frac", _STYLE.sub("", text))
    text = _DEGREES.sub("", _SPACING.sub(" ", text))
    text = _MIXED_FRAC.sub("", _MIXED.sub(r"\1\\frac{\2}{\3}", text))
    text = _CURRENCY.sub(lambda m: m[1] or "", text.replace("\n", " "))
    return _unwrapped(text.strip(" .,;:"))


@lru_cache(maxsize=65_536)
def normal(latex: str) -> str:
    """The form in which two ways to write one answer are the same string."""
    text = _UNIT.sub("", tidy(latex)).replace(r"\%", "%")
    if _TEXT.fullmatch(text):
        return text_of(text)
    text = _SHORT_ROOT.sub(r"\\sqrt{\1}", text)
    text = _SHORT_FRACTION.sub(lambda m: rf"\frac{{{m[1].strip('{} ')}}}{{{m[2].strip('{} ')}}}", text)
    text = _SPACES.sub("", text)
    text = _SLASH.sub(r"\1\\frac{\2}{\3}", text)
    if _THOUSANDS.match(text):
        text = text.replace(",", "")
    if _NUMBER.match(text):
        value = Fraction(text.rstrip("."))
        return str(value.numerator) if value.denominator == 1 else text
    return text


def text_of(latex: str) -> str:
    """An answer in words, without its LaTeX and differences of form: `\\text{(C)}` and `c` are the same."""
    return normalise(_TEXT.sub(r"\1", _unwrapped(latex.strip())).replace("\\ ", " "))


def is_text(latex: str) -> bool:
    """True for an answer in words (`\\text{east}`, `no solution`, `偶数`), False for an expression."""
    stripped = _unwrapped(latex.strip())
    return _TEXT.fullmatch(stripped) is not None or not is_expression(stripped)


def is_expression(text: str) -> bool:
    """True when `text` may be mathematics: no Chinese, no word but those of functions. Blank is no expression."""
    bare = _COMMANDS.sub(" ", _NO_WORD.sub(" ", text))
    if _HAN.search(bare) or not re.search(r"[\w∞√]", text):
        return False
    return all(word.lower() in _FUNCTIONS for word in _LATIN.findall(bare))


def number(latex: str) -> Quantity | None:
    """A plain integer or decimal, or such a percentage (`025`, `-3`, `18.90`, `50\\%`); None for anything else."""
    text = normal(latex)
    plain = text.removesuffix("%")
    if len(text) > 100 or not _NUMBER.match(plain):
        return None
    return Quantity(Fraction(plain.rstrip(".")), plain != text, text, len(text))


def numeral(latex: str) -> tuple[str, str] | None:
    """Digits and base of a numeral that states its base (`4210_5`, `1101_{\\text{two}}`); None for anything else."""
    if (found := _BASE.match(tidy(latex))) is None:
        return None
    base = (found[2] or found[3]).lower()
    return found[1].lower(), _BASE_WORDS.get(base, base)


def _unwrapped(text: str) -> str:
    for opening, closing in _WRAPPERS:
        if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            inner = text[len(opening) : -len(closing)]
            if "$" not in opening or "$" not in inner.replace(r"\$", ""):  # `$a$ and $b$` are two
                return inner.strip()
    return text
