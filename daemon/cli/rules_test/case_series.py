"""Reading the series of a test case: its accounts, and the values of their fields."""

from collections.abc import Mapping

from daemon.config.parse import values
from daemon.config.problems import MistakeError, Problems
from daemon.readings.fields import MADE_OF, SENT, find_field
from daemon.readings.similar_fields import similar_field
from daemon.replay import series as notation
from daemon.replay.series import MOST, CaseSeries
from daemon.rules.language.errors import ExpressionError
from daemon.types import Millis

ACCOUNT = "main"
"""The account of `series`, where no account is named."""

Fields = dict[str, CaseSeries]
"""The series of one account, by field."""


def accounts_of(
    series: object, accounts: object, place: str, problems: Problems
) -> dict[str, Fields]:
    """The series of each account by field; mistakes are added to `problems`."""
    if (series is None) == (accounts is None):
        sentence = "write [tests.series], or [tests.accounts.NAME] for each of several accounts"
        problems.add(
            f"{place}.series",
            f"{'is missing' if series is None else 'stands beside accounts'}; {sentence}",
        )
        return {}
    if accounts is None:
        found = {ACCOUNT: _fields(series, f"{place}.series", problems)}
    elif isinstance(accounts, dict) and accounts:
        found = {name: _account(name, raw, place, problems) for name, raw in accounts.items()}
    else:
        problems.add(
            f"{place}.accounts", "must be tables that each begin with [tests.accounts.NAME]"
        )
        return {}
    lengths = (
        max((len(each.slots) for each in fields.values()), default=0) for fields in found.values()
    )
    if sum(lengths) > MOST:
        problems.add(
            f"{place}.accounts",
            f"these are more than {MOST} attempts; use a longer interval or fewer of them",
        )
    return found


def _account(name: str, raw: object, place: str, problems: Problems) -> Fields:
    try:
        values.name(name)
    except MistakeError as error:
        problems.add(f"{place}.accounts.{name}", f"the name {error}")
    return _fields(raw, f"{place}.accounts.{name}", problems)


def _fields(raw: object, place: str, problems: Problems) -> Fields:
    if not isinstance(raw, dict) or not raw:
        problems.add(place, 'must be a table of fields, such as available_margin = "500 -10x30"')
        return {}
    found: Fields = {}
    for written, text in raw.items():
        name = find_field(written)
        if name not in SENT:
            problems.add(f"{place}.{written}", _no_field(written, name))
        elif name in found:
            problems.add(f"{place}.{written}", f"is {name}, which is there already")
        else:
            found |= _series(name, text, f"{place}.{written}", problems)
    _check_pauses(found, place, problems)
    return found


def _no_field(written: str, name: str | None) -> str:
    if name is None:
        similar = similar_field(written, SENT)
        hint = f'did you mean "{similar}"?' if similar else f"there are {', '.join(SENT)}"
        return f"there is no such field; {hint}"
    if name in MADE_OF:
        return f"is computed from {' and '.join(MADE_OF[name])}; give those"
    return "is the time since the last reading; let readings be missed, as in `500 _x30`"


def _series(name: str, text: object, place: str, problems: Problems) -> Fields:
    try:
        return {name: notation.parse_series(values.text(text))}
    except MistakeError as error:
        problems.add(place, str(error))
    except ExpressionError as error:
        problems.add(place, with_caret(error))
    return {}


def _check_pauses(fields: Mapping[str, CaseSeries], place: str, problems: Problems) -> None:
    """Add a mistake where fields of one account pause for different times."""
    pauses: dict[int, Millis] = {}
    for name, series in fields.items():
        for index, span in series.pauses.items():
            if pauses.setdefault(index, span) != span:
                problems.add(
                    f"{place}.{name}",
                    "another field pauses here for another time; say it in one of them",
                )


def with_caret(error: ExpressionError) -> str:
    """The error's sentence, with its place marked below."""
    caret = "\n".join(f"    {line}" for line in error.caret().splitlines())
    return f"{error.message}\n{caret}"
