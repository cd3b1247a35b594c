"""Ways of writing that are usual elsewhere, each with the way to write it here.

They are looked up only where the parser has found a mistake.
"""

import re

_OPERATOR = re.compile(r"[<>=!](?:[ \t]*[<>=!])+")
_OPERATORS = {
    "=>": ">=",
    "=<": "<=",
    "<>": "!=",
    "=!": "!=",
    "===": "==",
    "!==": "!=",
    # These are right but for a blank within.
    **{operator: operator for operator in (">=", "<=", "==", "!=")},
}
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.,])[0-9]+(?:,[0-9]+)+(?:\.[0-9]+)?(?![A-Za-z0-9_.,])")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_LONGEST_NUMBER = 40
"""Characters of a number that is written out in a remedy."""
_CURRENCY = re.compile(r"(?:[0-9][0-9_.]*)?(usdt?)", re.IGNORECASE)

NO_CURRENCY = "leave it out, as amounts are in USDT"


def usual_elsewhere(text: str, column: int) -> tuple[str, int] | None:
    """The sentence and the column of a mistake at `column`; None if it is no known habit."""
    for found in _OPERATOR.finditer(text):
        signs = found[0].split()
        meant = _OPERATORS.get("".join(signs))
        if meant and found.start() <= column < found.end():
            written = " ".join(signs)
            return f"`{written}` is not part of the language: write `{meant}`", found.start()
    for found in _NUMBER.finditer(text):
        if found.start() <= column < found.end():
            return f"a number has no `,`: {_without_comma(found[0])}", column
    return None


def _without_comma(number: str) -> str:
    short = len(number) <= _LONGEST_NUMBER
    if short and _THOUSANDS.fullmatch(number):
        plain, spaced = number.replace(",", ""), number.replace(",", "_")
        return f"write `{plain}` or `{spaced}`, and decimals behind a point"
    if short and number.count(",") == 1 and "." not in number:
        return f"write `{number.replace(',', '.')}`"
    return "write thousands as in `1_000`, and decimals behind a point"


def currency(word: str) -> str | None:
    """The name of a currency that `word` is or, after a number, ends with."""
    found = _CURRENCY.fullmatch(word)
    return found[1] if found else None
