"""Text normalisation that scorers share.

Each rule only removes differences of *form*: full-width against half-width, Chinese against Latin punctuation, case,
spacing. No rule may merge two different answers, so what can carry meaning is kept: a sign (`-3`), a decimal point
(`1.5`, `.5`), a slash (`3/4`), `C++`, `5!`, an exponent (`10²` becomes `10^2`, never `102`), an interval's brackets
(`[0, 1)`).

Every function is idempotent. Raise `VERSION` when a rule changes: it moves scores, and `norm_label` puts it into the
signatures.
"""

from __future__ import annotations

import re
import unicodedata

VERSION = 1

HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAN = re.compile(f"[{HAN}]")

# NFKC would flatten these into plain digits (10² -> 102, 1½ -> 11⁄2), which are other numbers.
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_VULGAR_AFTER_DIGIT = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞↉])")
_WIDTH = str.maketrans(
    {
        # Minus and hyphens that NFKC leaves alone. The em dash stays: it is punctuation, not a sign.
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        **dict.fromkeys("\u2044\u2215", "/"),
        # Invisible: zero-width spaces and joiners, direction marks, soft hyphen, byte order mark.
        **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\u00ad\ufeff", None),
    }
)
_HAS_VARIANT = re.compile(f"[{''.join(map(chr, _WIDTH))}]")
_PUNCTUATION = str.maketrans(
    {
        "。": ".", "．": ".", "｡": ".", "、": ",", "，": ",", "､": ",", "；": ";", "：": ":", "！": "!", "？": "?",
        "（": "(", "）": ")", "【": "[", "】": "]", "［": "[", "］": "]", "〔": "[", "〕": "]",
        "“": '"', "”": '"', "„": '"', "「": '"', "」": '"', "『": '"', "』": '"', "‘": "'", "’": "'",
        "《": "«", "》": "»", "〈": "«", "〉": "»", "…": "...", "•": "·", "・": "·", "‧": "·",
    }
)  # fmt: skip

_SPACE_AT_HAN = re.compile(rf"(?<=[{HAN}])\s+|\s+(?=[{HAN}])")
# "1, 2" is "1,2"; but "12, 345" (a list) is not "12,345" (a number).
_SPACE_AFTER_COMMA = re.compile(r"(?<=[,;:])\s+(?!\d{3}(?!\d))")

# A dot at the front goes only where it is plainly punctuation: ".5", ".NET" and "../x" keep theirs.
_FRONT = re.compile(rf"(?:\s|[,;:]|\.{{2,}}(?![./])|\.(?=[\s\"'(\[{HAN}]))+")
# "5!" and "n!" are factorials; "yes!" is not. Possessive, and looked at from the end only, so it stays linear.
_BACK = frozenset(" \t\n\r,.;:?")
_EXCLAIMED = re.compile(rf"(?:[^\W\d_]{{2}}|[{HAN}\"»])!+\Z")
_PAIRS = (("**", "**"), ("`", "`"), ("*", "*"), ('"', '"'), ("'", "'"), ("«", "»"), ("(", ")"), ("[", "]"), ("{", "}"))
_CLOSING = frozenset(closing[-1] for _, closing in _PAIRS)


def has_han(text: str) -> bool:
    """True when `text` holds a Chinese character."""
    return not text.isascii() and _HAN.search(text) is not None


def fold_width(text: str) -> str:
    """Full-width and compatibility forms to their plain ones (NFKC), without changing a number's value."""
    # What the rules below replace is not in normal form, so text that is has nothing to fold (most Chinese text).
    if text.isascii() or (unicodedata.is_normalized("NFKC", text) and not _HAS_VARIANT.search(text)):
        return text
    text = _SUPERSCRIPTS.sub(lambda run: "^" + run[0].translate(_SUPERSCRIPT), text)
    text = unicodedata.normalize("NFKC", _drop_variants(_VULGAR_AFTER_DIGIT.sub(" ", text)))
    # NFKC itself makes some of these (½ holds a U+2044), and dropping them can bring a pair together that composes.
    settled = _drop_variants(text)
    return text if settled == text else unicodedata.normalize("NFKC", settled)


def fold_case(text: str) -> str:
    """Unicode case folding (`ß` is `ss`)."""
    if text.isascii():
        return text.lower()
    # Folding can leave text that folds or composes once more, hence the second pass (Unicode's NFKC_Casefold).
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def fold_punctuation(text: str) -> str:
    """Chinese and typographic punctuation to ASCII, wherever it stands."""
    return text if text.isascii() else text.translate(_PUNCTUATION)


def fold_space(text: str) -> str:
    """Runs of whitespace to one space; none at the ends, beside a Chinese character, or after a comma in a list."""
    text = " ".join(text.split())
    if " " not in text:
        return text
    if not text.isascii():
        text = _SPACE_AT_HAN.sub("", text)
    return _SPACE_AFTER_COMMA.sub("", text)


def strip_edges(text: str) -> str:
    """Removes what merely surrounds an answer: full stops, commas, quotes, brackets, Markdown emphasis.

    Brackets round a list stay, since `(0, 1)` is not `[0, 1]`. Text that is all punctuation stays as it is: it may be
    the answer.
    """
    text = text.strip()
    while True:
        shorter = _strip_once(text)
        if not shorter or shorter == text:
            return text
        text = shorter


def normalise(text: str, *, width: bool = True, case: bool = True, punct: bool = True, space: bool = True) -> str:
    """`text` in the form that scorers compare; each family of rules can be switched off.

    Args:
        width: `fold_width`.
        case: `fold_case`.
        punct: `fold_punctuation` and `strip_edges`.
        space: `fold_space`.
    """
    if width:
        text = fold_width(text)
    if case:
        folded = fold_case(text)
        text = fold_width(folded) if width and folded != text else folded
    if punct:
        text = fold_punctuation(text)
    while True:
        before = text
        if space:
            text = fold_space(text)
        if punct:
            text = strip_edges(text)
        # Each rule can open the way for the other, and neither ever lengthens the text, so this ends.
        if text == before:
            return text


def norm_label(*, width: bool = True, case: bool = True, punct: bool = True, space: bool = True) -> str:
    """The rules in force, for a signature: `nfkc+case+punct+space`, or `none`."""
    named = {"nfkc": width, "case": case, "punct": punct, "space": space}
    label = "+".join(name for name, on in named.items() if on) or "none"
    return label if VERSION == 1 else f"{label}@{VERSION}"


def _drop_variants(text: str) -> str:
    # Looking first is five times faster than translating text that has none, which is nearly all text.
    return text.translate(_WIDTH) if _HAS_VARIANT.search(text) else text


def _strip_once(text: str) -> str:
    text = text[match.end() :] if (match := _FRONT.match(text)) else text
    end = len(text)
    while end and text[end - 1] in _BACK:
        end -= 1
    text = text[:end]
    if text.endswith("!"):
        body = text.rstrip("!")
        if _EXCLAIMED.search(body[-2:] + "!"):
            text = body
    if text[-1:] not in _CLOSING:  # nearly all text
        return text
    for opening, closing in _PAIRS:
        if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            inner = text[len(opening) : -len(closing)]
            if _wraps(opening, closing, inner):
                return inner.strip()
    return text


def _wraps(opening: str, closing: str, inner: str) -> bool:
    """True when the outer pair encloses the whole text, rather than opening one part and closing another."""
    if opening == closing:
        return opening not in inner
    if opening != "«" and "," in inner:
        return False
    depth = 0
    for char in inner:
        depth += (char == opening) - (char == closing)
        if depth < 0:
            return False
    return depth == 0
