"""The work of `silence` and `ack`: short transactions, beside a daemon that may be running."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from fnmatch import fnmatchcase

from daemon.alerts.silences import find_acknowledgement, matches, standing_silences
from daemon.cli.options import Format
from daemon.cli.output import instants, times
from daemon.cli.output.tables import Row, Table, cell_time, to_json, write_csv, write_json
from daemon.cli.output.terminal import STDOUT, say
from daemon.cli.record_access import OpenRecord, open_record
from daemon.cli.session import CommandSession
from daemon.config import SYSTEM_RULES
from daemon.config.problems import did_you_mean
from daemon.errors import UsageError
from daemon.store.write.silence_commands import Quiet
from daemon.text.durations import duration_text, parse_duration
from daemon.text.names import account_label, rule_label
from daemon.types import DAY, Alert, Millis, Silence, base

COLUMNS = ("number", "what", "rule", "account", "alert", "from", "until", "comment")
"""Columns of csv, and keys of json."""

OPTIONAL = ("alert", "from", "what", "account")
"""Columns that a narrow terminal may lack, the first one first."""

LASTING: Millis = 366 * DAY
"""The longest --for; a longer one is mistyped, or better given as a date."""

KNOWINGLY: Millis = DAY
"""A longer silence of everything needs --yes: it is easily forgotten, and nobody is told."""

LONGEST = 1_000
"""The most characters of a comment, which goes into messages."""


@dataclass(frozen=True, slots=True)
class SilenceOptions:
    """The options of one call."""

    rule: str | None
    account: str | None
    alert: str | None
    lasts: str | None
    until: str | None
    until_resolved: bool
    comment: str
    yes: bool
    """Whether everything may be silenced for longer than KNOWINGLY."""


def add(session: CommandSession, wish: SilenceOptions, output: Format) -> None:
    """Write a silence, and print what it does.

    Raises:
        UsageError: for options that contradict each other, or match nothing.

    """
    now = session.clock.now()
    with open_record(session) as past:
        _check(wish, past)
        ended_at = _end(wish, now, past.zone)
        if ended_at is not None and ended_at - now > KNOWINGLY and not wish.yes:
            _refuse_everything(wish, ended_at, past)
        alerts = _open(past, now)
        new = list(_silences(wish, now, ended_at, alerts, past))
        written = [replace(each, id=Quiet(past.url).add(each, now)) for each in new]
        if output is Format.JSON:
            write_json(
                {
                    **silence_row(each, past.zone),
                    "open": [one.code for _, one in _met(each, alerts)],
                }
                for each in written
            )
            return
        for each in written:
            say(f"silence {each.id}: {format_silence(each, past.zone)}{_now_quiet(each, alerts)}")


def acknowledge(session: CommandSession, code: str | None, comment: str, output: Format) -> None:
    """Acknowledge an open alert, and print it.

    Raises:
        UsageError: where no open alert has this id, or none is given.

    """
    now = session.clock.now()
    with open_record(session) as past:
        alerts = _open(past, now)
        if code is None:
            raise UsageError(f"say which alert: {_there(alerts)}")
        account, alert = _named(code, alerts, past)
        silences = past.history.silences()
        before = find_acknowledgement(silences, alert.code, now)
        ack = before or _acknowledged(past, account, alert, now, _comment(comment))
        if output is Format.JSON:
            row = {**silence_row(ack, past.zone), "new": before is None}
            STDOUT.write(to_json(row, indent=2) + "\n")
        elif before is not None:
            say(f"{alert.code} is acknowledged already: nobody is reminded of it{_undo(ack)}")
        else:
            about = f"{rule_label(alert.rule)} · {account_label(account)}"
            say(f"acknowledged {alert.code}: {about}: no more reminders of it{_undo(ack)}")


def _acknowledged(
    past: OpenRecord, account: str, alert: Alert, now: Millis, comment: str
) -> Silence:
    new = Silence(0, True, base(alert.rule), account, alert.code, now, None, comment)
    return replace(new, id=Quiet(past.url).add(new, now))


def _undo(ack: Silence) -> str:
    return f"; marginwatch silence end {ack.id} takes it back"


def end(session: CommandSession, numbers: Sequence[int], output: Format) -> None:
    """End silences by their numbers, and print each.

    Raises:
        UsageError: where a silence does not exist.

    """
    now = session.clock.now()
    with open_record(session) as past:
        known = {each.id: each for each in past.history.silences()}
        strange = [str(number) for number in numbers if number not in known]
        if strange:
            raise UsageError(
                f"there is no silence {', '.join(strange)}: marginwatch silence list shows them"
            )
        ended = Quiet(past.url).end(numbers, now)
        if output is Format.JSON:
            rows = [silence_row(known[number], past.zone) for number in numbers]
            write_json({**each, "ended": each["number"] in ended} for each in rows)
            return
        held = {alert.code for _, alert in _open(past, now)}
        for number in numbers:
            silence = known[number]
            if number in ended and silence.ack:
                say(_taken_back(silence, held))
            else:
                say(_ended(silence, past.zone, now=number in ended))


def _ended(silence: Silence, zone: tzinfo | None, *, now: bool) -> str:
    """The end of a silence; `now` says that it had not ended before."""
    word = "ended" if now else "was over already"
    return f"silence {silence.id} {word}: {format_silence(silence, zone)}"


def _taken_back(ack: Silence, held: Collection[str]) -> str:
    """The effect of ending an acknowledgement; `held` are the ids of the open alerts."""
    effect = "reminders come again"
    if ack.code not in held:
        effect = "the alert is over, so no reminders come"
    return f"the acknowledgement of {ack.code} is taken back: {effect}"


def show(session: CommandSession, *, past: bool, output: Format) -> None:
    now = session.clock.now()
    with open_record(session) as record:
        found = record.history.silences() if past else current_silences(record, now)
        rows = [silence_row(each, record.zone) for each in found]
        match output:
            case Format.JSON:
                write_json(rows)
            case Format.CSV:
                write_csv(COLUMNS, rows)
            case Format.TABLE:
                _print(found, times.DisplayClock(now, record.zone))


def silence_row(silence: Silence, zone: tzinfo | None) -> Row:
    """The row of a silence, for programs."""
    return {
        "number": silence.id,
        "what": "ack" if silence.ack else "silence",
        "rule": silence.rule,
        "account": silence.account,
        "alert": silence.code or None,
        "from": times.format_iso(silence.started_at, zone),
        "until": None if silence.ended_at is None else times.format_iso(silence.ended_at, zone),
        "comment": silence.comment or None,
    }


def format_silence(silence: Silence, zone: tzinfo | None) -> str:
    """The silence for people: its subject, its end and its comment."""
    about = f"alert {silence.code}" if silence.code else f"{silence.rule} on {silence.account}"
    until = "until it ends"
    if silence.ended_at is not None:
        until = f"until {times.format_time(silence.ended_at, zone)}"
    why = f" ({silence.comment})" if silence.comment else ""
    return f"{about}, {until}{why}"


def _print(found: Sequence[Silence], now: times.DisplayClock) -> None:
    if not found:
        say("nothing is silenced, and no open alert is acknowledged")
        return
    cells = [
        [
            str(each.id),
            "ack" if each.ack else "silence",
            each.rule,
            each.account,
            each.code,
            cell_time(now, each.started_at),
            "it ends" if each.ended_at is None else cell_time(now, each.ended_at),
            each.comment,
        ]
        for each in found
    ]
    Table(COLUMNS, cells, frozenset({"number"}), OPTIONAL).write()


def current_silences(record: OpenRecord, now: Millis) -> list[Silence]:
    """The silences that hold now or later; one about an alert ends with the alert."""
    held = {alert.code for _, alert in _open(record, now)}
    return standing_silences(record.history.silences(), held, now)


def _check(wish: SilenceOptions, past: OpenRecord) -> None:
    if wish.alert is not None and (wish.rule is not None or wish.account is not None):
        raise UsageError("--alert names one alert: leave out --rule and --account")
    if wish.alert is None and wish.rule is None and wish.account is None:
        raise UsageError(
            "say what to silence: --rule, --account or --alert; everything is --rule '*'"
        )
    if sum((wish.lasts is not None, wish.until is not None, wish.until_resolved)) != 1:
        raise UsageError("say for how long: one of --for, --until and --until-resolved")
    rules = {rule.name for rule in past.config.rules} | SYSTEM_RULES
    _matched("--rule", "rule", wish.rule, rules)
    _matched("--account", "account", wish.account, {*past.history.accounts(), *_accounts(past)})


def _refuse_everything(wish: SilenceOptions, ended_at: Millis, past: OpenRecord) -> None:
    """Raise UsageError if every rule on every account of the configuration would be silenced."""
    rules = [rule.name for rule in past.config.account_rules]
    accounts = [account.name for account in past.config.accounts]
    if wish.alert is None and all(
        fnmatchcase(name, glob or "*")
        for names, glob in ((rules, wish.rule), (accounts, wish.account))
        for name in names
    ):
        raise UsageError(
            f"this silences everything until {times.format_time(ended_at, past.zone)}, and nobody"
            f" would be told of anything: for longer than {duration_text(KNOWINGLY)} add --yes"
        )


def _accounts(past: OpenRecord) -> Iterator[str]:
    return (account.name for account in past.config.accounts)


def _matched(option: str, what: str, glob: str | None, names: set[str]) -> None:
    """Raise UsageError if no name matches: a mistyped silence would be noticed only at night."""
    if glob is not None and not any(fnmatchcase(name, glob) for name in names):
        hint = did_you_mean(glob, names) or f"; there are {', '.join(sorted(names)) or 'none'}"
        raise UsageError(f'{option}: no {what} matches "{glob}"{hint}')


def _end(wish: SilenceOptions, now: Millis, zone: tzinfo | None) -> Millis | None:
    if wish.until_resolved:
        return None
    if wish.lasts is not None:
        lasts = parse_duration(wish.lasts)
        if not lasts:
            raise UsageError(f'--for must be a duration such as "30m" or "2h", not "{wish.lasts}"')
        if lasts > LASTING:
            raise UsageError(
                f"--for must be at most {duration_text(LASTING)}: give the end with --until instead"
            )
        return now + lasts
    return instants.parse_future(str(wish.until), now, zone)


def _silences(
    wish: SilenceOptions,
    now: Millis,
    ended_at: Millis | None,
    alerts: Sequence[tuple[str, Alert]],
    past: OpenRecord,
) -> Iterator[Silence]:
    """One silence, or with --until-resolved one for each open alert that matches."""
    comment = _comment(wish.comment)
    if wish.alert is not None:
        account, alert = _named(wish.alert, alerts, past)
        yield Silence(0, False, base(alert.rule), account, alert.code, now, ended_at, comment)
        return
    by_name = Silence(0, False, wish.rule or "*", wish.account or "*", "", now, ended_at, comment)
    if ended_at is not None:
        yield by_name
        return
    found = _met(by_name, alerts)
    if not found:
        raise UsageError(
            "no open alert matches, so there is nothing to wait for: use --for or --until"
        )
    for account, alert in found:
        yield Silence(0, False, base(alert.rule), account, alert.code, now, None, comment)


def _comment(text: str) -> str:
    if len(text) > LONGEST:
        raise UsageError(f"--comment is too long: at most {LONGEST} characters")
    return " ".join(text.split())


def _open(past: OpenRecord, now: Millis) -> list[tuple[str, Alert]]:
    """The alerts that are open, with their accounts."""
    found = [
        (each.account, alert) for each in past.history.status(now) for alert in each.alerts.values()
    ]
    return [*found, *(("", alert) for alert in past.history.own_alerts())]


def _named(code: str, alerts: Sequence[tuple[str, Alert]], past: OpenRecord) -> tuple[str, Alert]:
    for account, alert in alerts:
        if alert.code == code.lower():
            return account, alert
    former = past.history.last_alert(code.lower())
    if former is not None and former.alert.ended_at is not None:
        about = f"{rule_label(former.alert.rule)} · {account_label(former.account)}"
        ended_at = times.format_time(former.alert.ended_at, past.zone)
        raise UsageError(
            f"the alert {former.alert.code} ({about}) has been over since {ended_at}: no reminder"
            f" of it comes any more; {_there(alerts)}"
        )
    raise UsageError(f'no open alert has the id "{code}"; {_there(alerts)}')


def _there(alerts: Sequence[tuple[str, Alert]]) -> str:
    """The open alerts, by their ids."""
    there = ", ".join(
        f"{alert.code} ({rule_label(alert.rule)} · {account_label(account)})"
        for account, alert in alerts
    )
    return f"there are {there}" if there else "none is open"


def _met(silence: Silence, alerts: Sequence[tuple[str, Alert]]) -> list[tuple[str, Alert]]:
    return [pair for pair in alerts if matches(silence, pair[1].rule, pair[0], pair[1].code)]


def _now_quiet(silence: Silence, alerts: Sequence[tuple[str, Alert]]) -> str:
    """The open alerts that it matches, so that a too wide or too narrow pattern is noticed."""
    found = _met(silence, alerts)
    if silence.code or not found:
        return "" if silence.code else "; nothing of it is open now"
    names = ", ".join(
        f"{rule_label(alert.rule)} · {account_label(account)} ({alert.code})"
        for account, alert in found
    )
    return f"; open now: {names}, of which only the end is told meanwhile"
