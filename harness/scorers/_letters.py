r"""Which option a free text settles on.

What counts, in this order; the first rule that finds anything decides, and several letters where one is asked for are
no answer:

1. the whole text is the letter or letters (`B`, `(B)`, `【B】`, `b.`, `ABD`, `A、B、D`), exactly the text of one
   option, or both (`B. 氯化钠`);
2. the last *stated conclusion*: `答案是B`, `故选B`, `正确的是B`, `the answer is (B)`, `\boxed{B}`,
   `<answer>B</answer>`, `因此B。`, or a last line that is only the letter. Denials (`不选A`, `答案不是A`, `not A`) and
   suppositions (`若选A`) are no conclusions. `错误的是B` is one only where the question asks for what is wrong;
3. the text begins with the letter: `B. 氯化钠`, `B，因为…` (unless it goes through the options one by one);
4. `B是正确的`, `B is correct`, said of one letter only (`B是错误的` where the question asks for what is wrong);
5. what follows `答案是` / `answer is` is exactly the text of one option;
6. the only letter that is marked as an option, `选项B`, `B项`, `(B)`, `**B**`, where it is not rejected.

A letter inside a text (维生素C, B细胞, D-dimer, "A patient") is not an answer. What a reasoning model thinks
(`<think>…</think>`) and a next question that a base model goes on to invent are not looked at.

The phrases are those of OpenCompass (`first_option_postprocess`, opencompass/utils/text_postprocessors.py), which takes
the first that fits and falls back on any capital letter, of C-Eval and CMMLU, and of MMLU-Pro ("answer is (X)").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from harness.gold.choices import letters
from harness.gold.item import Item
from harness.text import fold_width, normalise

VERSION = 1

_SPECIAL = re.compile(r"<\|[^|<>\n]{1,40}\|>|</?s>|<(?:eoa|eos|eot|bos|pad)>|\[(?:EOS|UNK|PAD)\]")
_SPACES = re.compile(r"\s{2,}")
_NEXT_QUESTION = re.compile(r"\n\s*(?:题目|问题|Question|Q|Human|User|用户)\s*\d*\s*[:.]", re.IGNORECASE)
# What is asked for is the wrong option.
_ASKS_FOR_WRONG = re.compile(
    r"错误|有误|不正确|不对|不符|不属|不是|不包|不宜|不能|不应|不会|不需|不合|不适|除外|不恰当|不准确"
    r"|\bexcept\b|\bnot\b|incorrect|\bfalse\b|\bwrong\b|\bleast\b",
    re.IGNORECASE,
)
_REFUTED = re.compile(
    r"[)\]】\"”'’*_ \t]{0,6}(?:选?项|option|choice)?\s*(?:中?的)?(?:说法|描述)?\s*(?:是|都是?|均|也|为|is|are|was)?\s*"
    r"(?:错|不对|不正确|不符|不恰当|不合|有误|不是|不选|排除|wrong|incorrect|false|not\b)",
    re.IGNORECASE,
)
_STATED_TEXT = re.compile(r"(?:答案(?:应该|应)?(?:是|为|:)|answer\s*(?:is|:))[\s:]*([^\n]+)", re.IGNORECASE)

# Quantifiers that could meet each other are bounded: an answer of 100,000 stars must not take minutes.
_OPEN = r"[\s(\[【《“\"'‘*_`$«{]{0,6}(?:\\(?:text|mathbf|mathrm|textbf)\{)?"
_CLOSE = r"[)\]】》”\"'’*_`$»}]{0,6}"

# What stands before a conclusion. (?P<no>…) makes it none.
_NO = (
    r"(?P<no>(?:不|勿|别|没有?|未|若|如果|假如|要是|排除|误|错)"
    r"(?:应该|应当|应|能够?|可以?|会|要|该|建议|宜|再|必)?(?:我们?|你)?)?"
)
_GOOD = r"(?:正确|合适|恰当|适合|适宜|准确|符合题意|符合|最佳|最好|成立|对)"
_WHAT = r"的?(?:一项|说法|描述|叙述|表述|做法)?(?:应该|应当|应)?(?:是|为)\s*:?\s*(?:选项)?"
_LEADS = (
    r"答案(?:选项)?[\])】*_\s]{0,4}(?:应该|应当|应|可能|大概|显然|一定|肯定|就|确实|只能|也){0,3}\s?"
    r"(?:选择|选项?为|选项?是|选|是|为|即)?[\s:=*_]{0,6}(?:选项|选)?",
    rf"{_NO}(?:选择|选取|选定|选(?!项)|选项(?=\s*[是为:]))(?:了|的?是|为|答案)?\s*:?\s*(?:选项)?",
    rf"(?P<wrong>(?:最?不{_GOOD}|最?不(?:属于|包括|宜|应)|错误|有误)(?:的?选项)?){_WHAT}",
    rf"(?P<good>{_GOOD}){_WHAT}",
    r"(?i:(?:answer|(?:correct|right|best|appropriate|suitable)\s+(?:option|choice|one|statement))"
    r"(?:\s+(?:to|for)\s+(?:the|this)\s+question)?[\s*_]{0,4}(?:is|are|was|would\s+be|should\s+be|must\s+be|will\s+be|=|:)?"
    r"[\s:*_]{0,6}(?:definitely|likely|probably|clearly|most\s+likely|therefore|thus|indeed|simply|given\s+by)?\s*"
    r"(?:option|choice|letter|statement)?)",
    r"(?i:(?P<never>(?:not|n't|never|cannot|if\s+(?:you|we|i|one))\s+)?\b(?:choose|chose|choosing|select|selecting|pick"
    r"|picking|go(?:ing)?\s+with|opt(?:ing)?\s+for)\s+(?:option|choice|answer)?)",
    r"\\boxed\s*\{",
    r"<answer>",
)
# The same where the letter must end the clause, because the words before it say little.
_CLAUSES = (
    r"(?:因此|所以|故|综上(?:所述)?|总之|由此可[知见]|显然|可知|即)[,:]?\s*(?:本题|此题)?[选答是为]?\s*(?:选项)?",
    r"(?:而是|应该是|应当是|应是|应为|才是|[,，]\s*是)\s*(?:选项)?",
    r"(?i:\b(?:therefore|thus|hence|so|finally|in\s+conclusion)[,:]?\s*(?:it\s+(?:is|must\s+be)|it's)?\s*(?:option)?)",
    r"(?i:\b(?:but(?:\s+rather)?|instead|it\s+is|it's|it\s+must\s+be|it\s+should\s+be)\s+(?:option)?)",
)
_CLAUSE_END = r"(?=\s*(?:选?项)?\s*(?:[。.;;,!]|\n|$))"


def settled(text: str, item: Item) -> str | None:
    """The letters that `text` settles on, in alphabetical order; None where it settles on nothing.

    Hedges (`A或B`) settle on nothing; `A和B` are two letters.
    """
    form = _form(len(letters(item)))
    said = _said(text)
    whole = form.whole.fullmatch(said)
    named = _sorted(whole[1]) if whole else ""
    if len(named) != 1 and (found := _option(said, item) or _labelled(said, item, form)):
        return found  # the text of an option may look like several letters: AB, "A和B"
    if named:
        return named
    head = said[: match.start()] if (match := _NEXT_QUESTION.search(said, 1)) else said
    for part in dict.fromkeys((head, said)):
        found = _search(part, item, form)
        if found is not None:
            return found or None
    return None


def _search(text: str, item: Item, form: _Form) -> str | None:
    """The letters, "" for a conclusion that names no single answer, None where nothing is stated."""
    asks_for_wrong = _ASKS_FOR_WRONG.search(item.text) is not None
    for rule in (_concluded, _begun):
        found = rule(text, item, form, asks_for_wrong)
        if found is not None:
            return found
    found = _only(form.denied if asks_for_wrong else form.affirmed, text)
    if found is None and (stated := _STATED_TEXT.findall(text)):
        found = _option(stated[-1], item)
    if found is None and not asks_for_wrong:
        found = _only(form.marked, text, unless=_REFUTED)
    return found


def _concluded(text: str, item: Item, form: _Form, asks_for_wrong: bool) -> str | None:
    last: str | None = None
    for match in form.stated.finditer(text):
        said = match.groupdict()
        if any(value and name.startswith(("no", "never")) for name, value in said.items()):
            continue
        if (said["wrong"] and not asks_for_wrong) or (said["good"] and asks_for_wrong):
            continue
        group = next(name for name in ("list", "clause", "line") if said[name])
        if _rejected(text, match.end(), said[group], item):
            continue
        last = _begins_with_option(text[match.start(group) :], item) or _named(said[group])
    return last


def _begun(text: str, item: Item, form: _Form, asks_for_wrong: bool) -> str | None:
    match = form.begins.match(text)
    if match is None or len({line[1] for line in form.line.finditer(text)}) > 1:
        return None
    if not asks_for_wrong and _rejected(text, match.end(), match[1], item):
        return None
    return _begins_with_option(text[match.start(1) :], item) or _named(match[1])


def _rejected(text: str, end: int, named: str, item: Item) -> bool:
    """True when the words behind a letter reject it; those of its option's own text (`C. 不是等差数列`) do not."""
    if not _REFUTED.match(text, end):
        return False
    number = letters(item).find(_sorted(named))
    own = fold_width((item.choices or ())[number]).strip() if number >= 0 else ""
    return not (own and text[end:].lstrip(" )]】*.。:、,").startswith(own))


def _option(said: str, item: Item) -> str | None:
    """The letter of the one option whose text this is."""
    choices = item.choices or ()
    if len(said) > 2 * max(map(len, choices), default=0) + 40:
        return None  # too long to be one
    for case in (True, False):  # options may differ in nothing but case
        wanted = normalise(said, case=case)
        same = [choice == wanted for choice in _normalised(choices, case)]
        if wanted and sum(same) == 1:
            return letters(item)[same.index(True)]
        if not any(same):
            return None
    return None


# The options of an item are compared with the answers of every candidate and repeat.
@lru_cache(maxsize=16_384)
def _normalised(choices: tuple[str, ...], case: bool) -> tuple[str, ...]:
    return tuple(normalise(choice, case=case) for choice in choices)


def _labelled(said: str, item: Item, form: _Form) -> str | None:
    """The letter of a text that is a letter and its own option."""
    match = form.labelled.fullmatch(said)
    return match[1] if match and _option(match[2], item) == match[1] else None


def _only(pattern: re.Pattern[str], text: str, *, unless: re.Pattern[str] | None = None) -> str | None:
    """What the matches name, where they agree; those that `unless` follows do not count."""
    found = {
        _named(next(filter(None, match.groups())))
        for match in pattern.finditer(text)
        if unless is None or not unless.match(text, match.end())
    }
    return found.pop() if len(found) == 1 else None


def _begins_with_option(tail: str, item: Item) -> str | None:
    """The option whose text stands where a letter was read: `选C反应蛋白` names no option C."""
    found = [
        (len(choice), letter)
        for letter, choice in zip(letters(item), item.choices or (), strict=True)
        if len(choice) > 1 and choice[0] in letters(item) and tail.startswith(fold_width(choice).strip())
    ]
    return max(found)[1] if found else None


def _named(said: str) -> str:
    """The letters of a list in a text, or "" for a hedge between several."""
    found = _sorted(re.sub(r"(?i:\band\b|\bor\b)|选?项", "", said))
    hedged = len(found) > 1 and re.search(r"或|/|\bor\b", said) is not None
    return "" if hedged else found


def _sorted(said: str) -> str:
    return "".join(sorted({char for char in said.upper() if "A" <= char <= "Z"}))


def _said(text: str) -> str:
    """What was said to the reader: without thoughts and special tokens, in half-width forms."""
    head, thought, rest = text.rpartition("</think>")
    text = rest if thought else ("" if head == "" and "<think>" in rest else rest)
    text = _SPECIAL.sub(" ", fold_width(text)).strip()
    return _SPACES.sub(lambda run: "\n" if "\n" in run[0] else " ", text)


@dataclass(frozen=True)
class _Form:
    """The patterns for one number of options."""

    whole: re.Pattern[str]
    stated: re.Pattern[str]
    begins: re.Pattern[str]
    line: re.Pattern[str]
    labelled: re.Pattern[str]
    affirmed: re.Pattern[str]
    denied: re.Pattern[str]
    marked: re.Pattern[str]


@lru_cache(maxsize=32)
def _form(count: int) -> _Form:
    upper = "".join(chr(ord("A") + i) for i in range(count))
    lower = upper.lower()
    # Letters that stand alone: not in a word, a number (B12), a compound (B-cell) or a possessive.
    alone = r"(?![A-Za-z0-9]|[-_^][A-Za-z0-9\\{]|['’][A-Za-z]|\\[A-Za-z])"
    capitals = rf"(?<![A-Za-z0-9])[{upper}]{{1,{count}}}{alone}"
    either = rf"(?:{capitals}|(?<![A-Za-z0-9])[{lower}](?=\s?(?:选?项|[。.,;!?)\]】\"”’}}]|\*\*|</|\n|$)))"
    # A comma begins a new clause unless a list goes on behind the next letter.
    comma = rf"\s*,\s*(?={_OPEN}[{upper}]+{_CLOSE}\s*(?:[,、和与及或&/。.;!?\n]|and\b|or\b|$))"
    joined = r"\s*(?:、|,?\s*(?:和|与|以及|及|或者|或|&|/|\band\b|\bor\b))\s*"
    run = rf"{capitals}{_CLOSE}(?:选?项)?"
    more = rf"(?:(?:{joined}|{comma}|\s+){_OPEN}{run}(?!\s*(?:选?项)?(?:错|不)|\s+(?:is|was|does|has)\b)){{0,{count}}}"
    listed = rf"{either}{_CLOSE}(?:选?项)?{more}"
    stated = (
        rf"(?:{'|'.join(_LEADS)}){_OPEN}(?P<list>{listed})"
        rf"|(?:{'|'.join(_CLAUSES)}){_OPEN}(?P<clause>{listed}){_CLAUSE_END}"
        rf"|\n{_OPEN}(?P<line>{run}{more})[.。]?\s*\Z"
    )
    good = (
        r"(?:答案)?\s*(?:才|都|均|就|最|应该?)*(?:是|为)?\s*(?:唯一|最)?(?:正确|对的|对(?=[,。.!\s]|$)|最佳|合适|恰当|符合题意)"
        r"|(?i:\s+(?:is|are|seems|appears|would\s+be|must\s+be)(?:\s+(?:both|all|clearly|the|most|a))*"
        r"\s+(?:correct|right|best|answer|appropriate|suitable)\b)"
    )
    bracketed = rf"[(【\[]\s*({capitals})\s*[)】\]]|\*\*\s*({capitals})[.。:]?\s*\*\*"
    return _Form(
        whole=re.compile(
            rf"\W{{0,20}}(?:选项?|答案|(?i:option|choice))?\W{{0,20}}([{upper}{lower}]|[{upper}](?:[\s,、;&和与及]{{0,3}}[{upper}]){{0,{count}}})(?:选?项)?\W{{0,20}}"
        ),
        stated=re.compile(stated),
        begins=re.compile(
            rf"{_OPEN}(?:选项|(?i:option\s))?\s*{_OPEN}({run}{more})(?:[.。::,、;]|\n|$|[ \t](?!\s*[A-Za-z]))"
        ),
        line=re.compile(rf"(?m)^[\s*(\[【]*({capitals})[)\]】*]*\s*[.。::、,]"),
        labelled=re.compile(rf"{_OPEN}([{upper}]){_CLOSE}[.。:、,]?\s*(.+)", re.DOTALL),
        affirmed=re.compile(rf"({run}{more})(?:{good})"),
        denied=re.compile(rf"({run})(?i:{_REFUTED.pattern})"),
        marked=re.compile(rf"(?:选项|(?i:\boption|\bchoice))\s*({capitals})|({capitals})选?项|{bracketed}"),
    )
