"""A whole rules.toml becomes a configuration, or all of its mistakes at once."""

from dataclasses import replace
from datetime import time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.alerts.mutes import Mutes, MuteWindow
from daemon.alerts.system_rules import ACCOUNT as ABOUT_ACCOUNTS
from daemon.alerts.system_rules import DAEMON as ABOUT_THE_DAEMON
from daemon.config import (
    Account,
    BudgetLimits,
    Channel,
    Checks,
    Daemon,
    Report,
    Secret,
    System,
    Web,
    load_rules,
)
from daemon.errors import ConfigError
from daemon.rules.language.parse import parse_condition
from daemon.rules.rule import AtLeast, Rule
from daemon.types import HOUR, MINUTE, SECOND, Limit, OnMissing, Severity
from tests.config.written import ACCOUNT, CHANNELS, PATH, RULE, WHOLE, loaded, problems

FULL = """
[daemon]
database = "sqlite:///data/watch.db"
every = "2s"
web = ""
timezone = "Europe/Berlin"
timeout = "3s"

[[accounts]]
name = "main"
exchange = "coinw"
api_key = "env:KEY"
secret_key = "planted-secret-0001"
every = "1s"
user_id = "77"
rest_url = "http://127.0.0.1:9000"
ws_url = ""

[[accounts]]
name = "second"
api_key = "planted-key-0002"
secret_key = "planted-secret-0002"

[[channels]]
name = "phone"
url = "tgram://{env:TOKEN}/55"
group_wait = "2s"

[[rules]]
name = "low"
when = "availableMargin < 100"
clear_when = "available_margin > 120"
for = "30s"
severity = "critical"
accounts = ["ma*"]
channels = ["phone"]
repeat = ""
inhibited_by = ["no-readings"]
keep_firing_for = "20s"
flapping = "3 per 2h"
worse_by = "25%"
on_missing = "firing"
missing_after = "3m"
mute = ["night"]

[[rules]]
name = "often"
when = "al_freeze > 9"
at_least = "3 of 5"
flapping = ""
on_missing = "ok"

[[mutes]]
name = "night"
days = ["sat", "sun"]
between = ["23:00", "07:30"]

[system]
no-readings = "5m"
clock-skew = "off"
disk-full = "10%"
channels = ["phone"]

[budget]
host = "10 per 1s"
"""

UNKNOWN_FIELD = """rules "low" (line 16).when: there is no field `available_margn`; did you mean\
 `available_margin`?
    available_margn < 100
    ^"""

TEN_MISTAKES = """
[daemon]
every = "100ms"
webb = ""

[[accounts]]
name = "main"
api_key = 12345678
secret_key = "env:NOT_THERE"

[[channels]]
name = "phone"
url = "jsons://example.com"
group_wait = "soon"

[[rules]]
name = "low"
when = "available_margn < 100"
severity = "criticle"

[[rules]]
name = "low"
when = "age > 1m"
channels = ["phne"]

[[rules]]
name = "late"
when = "available_margin < 100"
summary = "margin {available_margn}"
"""


def test_ten_mistakes_are_ten_sentences() -> None:
    """DESIGN §5: all mistakes are reported at once, each with its place."""
    assert problems(TEN_MISTAKES) == [
        'daemon.every: must be at least 400ms, not "100ms"',
        'daemon.webb: unknown key; did you mean "web"?',
        'accounts "main" (line 6).api_key: must be a text in quotes',
        (
            'accounts "main" (line 6).secret_key: the environment variable NOT_THERE is'
            " not set; set it, or use"
            " file:PATH"
        ),
        (
            'channels "phone" (line 11).group_wait: must be a duration such as "90s" or'
            ' "1h30m", not "soon"'
        ),
        UNKNOWN_FIELD,
        (
            'rules "low" (line 16).severity: must be one of info warning critical, not'
            ' "criticle"; did you mean'
            ' "critical"?'
        ),
        'rules "low" (line 21).name: "low" is already the name of rules "low" (line 16)',
        'rules "low" (line 21).channels: there is no channel "phne"; did you mean "phone"?',
        (
            'rules "late" (line 26).summary: names {available_margn}, which there is'
            " not; did you mean"
            " {available_margin}?"
        ),
    ]


def test_everything_written_arrives() -> None:
    """Every effective key reaches the value that the program is built from."""
    config = loaded(FULL, {"KEY": "planted-key-0001", "TOKEN": "12:ab"})
    assert config.path == PATH
    assert config.daemon == Daemon(
        database=Secret("sqlite:////etc/marginwatch/data/watch.db"),
        every=2 * SECOND,
        web=None,
        timezone=ZoneInfo("Europe/Berlin"),
        timeout=3 * SECOND,
    )
    first = Account(
        name="main",
        api_key=Secret("planted-key-0001"),
        secret_key=Secret("planted-secret-0001"),
        every=SECOND,
        user_id="77",
        rest_url="http://127.0.0.1:9000",
        ws_url="",
    )
    second = Account(
        "second", Secret("planted-key-0002"), Secret("planted-secret-0002"), every=2 * SECOND
    )
    assert config.accounts == (first, second)
    assert config.channels == (
        Channel("phone", Secret("tgram://12%3Aab/55"), group_wait=2 * SECOND, service="tgram"),
    )
    assert config.rules == (
        Rule(
            name="low",
            when=parse_condition("available_margin < 100"),
            clear_when=parse_condition("available_margin > 120"),
            hold=30 * SECOND,
            severity=Severity.CRITICAL,
            accounts=("ma*",),
            channels=("phone",),
            repeat=None,
            inhibited_by=("no-readings",),
            keep_firing_for=20 * SECOND,
            flapping=Limit(3, 2 * HOUR),
            worse_by=Decimal("0.25"),
            on_missing=OnMissing.FIRING,
            missing_after=3 * MINUTE,
            mute=("night",),
        ),
        Rule(
            name="often",
            when=parse_condition("al_freeze > 9"),
            at_least=AtLeast(3, 5),
            flapping=None,
            on_missing=OnMissing.OK,
        ),
    )
    night = MuteWindow("night", frozenset({"sat", "sun"}), time(23), time(7, 30))
    assert config.mutes == Mutes({"night": night}, ZoneInfo("Europe/Berlin"))
    assert config.budget == BudgetLimits(host=Limit(10, SECOND))


def test_d7_system_rules_exist_with_their_limits() -> None:
    """D7: those not off, at the limits of [system], for its channels; written rules come first."""
    config = loaded(FULL, {"KEY": "k", "TOKEN": "t"})
    made = {rule.name: rule for rule in (*config.system_rules, *config.daemon_rules)}
    assert [rule.name for rule in config.system_rules] == [
        name for name in ABOUT_ACCOUNTS if name != "clock-skew"
    ]
    assert [rule.name for rule in config.daemon_rules] == list(ABOUT_THE_DAEMON)
    assert config.account_rules == (*config.rules, *config.system_rules)
    assert str(made["no-readings"].when) == "age >= 5m"
    assert str(made["disk-full"].when) == "disk_free < 0.1"
    assert {rule.channels for rule in made.values()} == {("phone",)}


def test_what_is_not_written_has_the_documented_default() -> None:
    """DESIGN §5 shows the defaults."""
    config = loaded(WHOLE)
    assert config.daemon == Daemon(
        database=Secret("sqlite:////etc/marginwatch/marginwatch.db"),
        every=5 * SECOND,
        web=Web("127.0.0.1", 8787),
        timezone=None,
        heartbeat=Secret(""),
        timeout=10 * SECOND,
        max_jump=None,
    )
    account = config.accounts[0]
    assert (account.exchange, account.every, account.user_id) == ("coinw", 5 * SECOND, "")
    assert (account.rest_url, account.ws_url) == (
        "https://api.coinw.com",
        "wss://ws.futurescw.com/perpum",
    )
    assert config.channels[0].group_wait == SECOND
    assert config.rules == (
        Rule("low", parse_condition("available_margin < 100"), repeat=4 * HOUR),
    )
    assert config.budget == BudgetLimits(Limit(50, 10_000), Limit(50, 10_000), Limit(5, 2_000))
    assert config.system == System(
        no_readings=2 * MINUTE, clock_stepped=250, disk_full=Decimal("0.05")
    )


@pytest.mark.parametrize(
    ("database", "meant"),
    [
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
        ("sqlite:///x.db", "sqlite:////etc/marginwatch/x.db"),
        ("postgresql+psycopg://u:planted-pw@h/db", "postgresql+psycopg://u:planted-pw@h/db"),
    ],
)
def test_a_relative_database_is_relative_to_the_file(database: str, meant: str) -> None:
    """DESIGN §5: paths are relative to rules.toml, not to the working directory."""
    config = loaded(f'{WHOLE}[daemon]\ndatabase = "{database}"')
    assert config.daemon.database.reveal() == meant


def test_no_account_is_a_mistake() -> None:
    """Without an account there is nothing to watch."""
    assert problems(CHANNELS + RULE) == [
        "accounts: there is none; add [[accounts]] with name, api_key and secret_key"
    ]


def test_b3_an_age_below_the_interval_is_refused() -> None:
    """B3: only accounts watched by the rule count."""
    text = ACCOUNT + CHANNELS + '[[rules]]\nname = "late"\nwhen = "age > 3s"\n'
    assert problems(text) == [
        'rules "late" (line 14).when: age is compared with 3s, but "main" is read only every 5s'
    ]
    assert problems(text + 'accounts = ["other*"]') == []


def test_adapters_have_their_say() -> None:
    """An adapter's mistakes are reported at their key, unless a mistake is known there."""
    checks = Checks(
        account=lambda exchange, account: [
            ("rest_url", f"{exchange} {account.name}"),
            ("every", "not told: it is a mistake already"),
        ],
        channel=lambda url: f"Apprise does not take {url}" if url.endswith("mail") else None,
    )
    assert problems(ACCOUNT + 'every = "1"\n' + CHANNELS + RULE, checks=checks) == [
        'accounts "main" (line 2).every: must be a duration such as "90s" or "1h30m", not "1"',
        'accounts "main" (line 2).rest_url: coinw main',
        'channels "mail" (line 12).url: Apprise does not take ***',
    ]


def test_cron_is_checked_by_who_knows_it() -> None:
    """An unreadable cron of five fields is explained; one with fewer fields is reported once."""
    report = '[[reports]]\nname = "{}"\ncron = "{}"\n'
    checks = Checks(
        cron=lambda cron: f"is wrong: {cron.split()[0]}" if cron.startswith("75") else None
    )
    text = (
        WHOLE
        + report.format("good", "0 8 * * *")
        + report.format("bad", "75 8 * * *")
        + report.format("no", "8")
    )
    assert problems(text, checks=checks) == [
        'reports "bad" (line 21).cron: "75 8 * * *" is wrong: 75',
        'reports "no" (line 24).cron: must be five fields such as "0 8 * * *", not "8"',
    ]


def test_reports_are_read() -> None:
    """Name, cron and channels; no channel is all of them."""
    text = WHOLE + '[[reports]]\nname = "daily"\ncron = "0 8 * * *"\n'
    assert loaded(text).reports == (Report("daily", "0 8 * * *"),)
    assert loaded(text + 'channels = ["mail"]\n').reports == (
        Report("daily", "0 8 * * *", ("mail",)),
    )


@pytest.mark.parametrize(
    "text",
    [
        ACCOUNT.replace('"planted-key-0001"', "'''planted\nkey'''"),
        ACCOUNT.replace("api_key", "api_kye"),
        ACCOUNT.replace('"planted-key-0001"', '["planted-key"]'),
        ACCOUNT.replace('"planted-key-0001"', '{planted = "planted"}'),
        ACCOUNT + 'exchange = "planted-key-0001"\n',
        ACCOUNT + 'user_id = "planted-secret-0001"\nevery = "planted-secret-0001"\n',
        ACCOUNT + '[[channels]]\nname = "a"\nurl = "tgram://planted-token{TOKEN}"\n',
        ACCOUNT + '[daemon]\ndatabase = "mysql://me:planted@h/x"\n',
        ACCOUNT + '[daemon]\nheartbeat = "http://example.com/planted"\n',
        'accounts = "planted"',
        'api_key = "planted"\n' + WHOLE,
    ],
)
def test_no_problem_shows_a_secret(text: str) -> None:
    """Promise 9: also where a secret stands in the wrong place or form."""
    checks = Checks(account=lambda exchange, _: [("exchange", f"{exchange} is not known")])
    found = problems(text + "[[rules]]\nname = 5\n", checks=checks)
    assert found
    assert "planted" not in "\n".join(found)


def test_all_secrets_are_known_to_the_filter() -> None:
    """Promise 9: the log filter gets keys, tokens in both spellings, whole URLs and passwords."""
    text = FULL + '[[channels]]\nname = "mail"\nurl = "mailtos://me:planted-pw@example.com"\n'
    config = loaded(
        text.replace("sqlite:///data/watch.db", "postgresql+psycopg://u:db-pw@h/x"),
        {"KEY": "k1234", "TOKEN": "12:ab"},
    )
    assert config.secrets() == {
        "k1234",
        "planted-secret-0001",
        "planted-key-0002",
        "planted-secret-0002",
        "12:ab",
        "12%3Aab",
        "tgram://12%3Aab/55",
        "mailtos://me:planted-pw@example.com",
        "planted-pw",
        "me:planted-pw",
        "db-pw",
        "u:db-pw",
        "postgresql+psycopg://u:db-pw@h/x",
    }
    assert config.holds_secrets


@pytest.mark.parametrize(
    "written", ["https://hc-ping.com/{env:BEAT}", "env:WHOLE", "https://hc-ping.com/planted-0af3"]
)
def test_a_heartbeat_is_an_address_like_those_of_channels(written: str) -> None:
    """F9, promise 9: it is put together and checked as a whole, and its token is a secret."""
    environ = {"BEAT": "planted-0af3", "WHOLE": "https://hc-ping.com/planted-0af3"}
    config = loaded(WHOLE + f'[daemon]\nheartbeat = "{written}"\n', environ)
    assert config.daemon.heartbeat.reveal() == "https://hc-ping.com/planted-0af3"
    assert {"https://hc-ping.com/planted-0af3"} <= config.secrets()
    assert config.holds_secrets


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            "https://hc-ping.com/{env:BEAT}",
            "the environment variable BEAT is not set; set it, or use file:PATH",
        ),
        ("env:PLAIN", "plain http shows the address to everyone on the way; write https"),
        ("hc-ping.com/planted", 'must be an address that begins with "https://"'),
    ],
)
def test_a_heartbeat_that_cannot_be_fetched_is_a_mistake(written: str, sentence: str) -> None:
    """Also where its reference gives no such address; no part of it is shown."""
    text = WHOLE + f'[daemon]\nheartbeat = "{written}"\n'
    assert problems(text, {"PLAIN": "http://example.com/planted"}) == [
        f"daemon.heartbeat: {sentence}"
    ]


def test_a_configuration_prints_without_secrets() -> None:
    """Promise 9: the repr of the whole configuration may be logged."""
    config = loaded(FULL, {"KEY": "planted-key-0001", "TOKEN": "planted:token"})
    assert "planted" not in repr(config)


def test_equal_texts_are_equal_configurations() -> None:
    """A reload that changes nothing is recognised."""
    assert loaded(WHOLE) == loaded(WHOLE + "# nothing\n")
    assert loaded(WHOLE) != loaded(WHOLE + "[daemon]\nevery = '6s'")


def test_rules_are_loaded_alone() -> None:
    """`demo` takes the rules of a file for its own accounts and channel, without its secrets."""
    rules = load_rules(FULL, path=PATH)
    assert rules == tuple(
        replace(rule, channels=(), mute=())
        for rule in loaded(FULL, {"KEY": "k", "TOKEN": "t"}).rules
    )


def test_mistakes_in_rules_loaded_alone_are_told() -> None:
    """All mistakes of the rules are reported at once, and none of other tables."""
    with pytest.raises(ConfigError) as caught:
        load_rules(TEN_MISTAKES, path=PATH)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        'rules "low" (line 16).when',
        'rules "low" (line 16).severity',
        'rules "low" (line 21).name',
        'rules "late" (line 26).summary',
    ]


def test_a_file_of_secrets_is_found_beside_the_rules(tmp_path: Path) -> None:
    """`file:` is relative to the rules.toml."""
    (tmp_path / "key").write_text("from-file\n")
    text = WHOLE.replace("planted-key-0001", "file:key")
    assert loaded(text, path=tmp_path / "rules.toml").accounts[0].api_key == Secret("from-file")
