"""The text of a first rules.test.toml, which fits the rules of `template`. Pure."""

from decimal import Decimal

from daemon.config.template import HYSTERESIS, Answers, amount_text

_CASES = """\
# Tests of rules.toml: `marginwatch rules test` plays them through the functions of the daemon.
# Change both together. "500 40x3" is a reading of 500, then three of 40; docs/testing-rules.md.

[[tests]]
name = "low margin fires below {warning}, not at it, and ends only above {warning_over}"
rules = ["low-margin"]
series.available_margin = "{high} {warning} {low} {warning} {warning_over} {high}"
expect = ["10s low-margin firing {low}", "25s low-margin resolved {high}"]

[[tests]]
name = "critical margin fires below {critical}, at once, and ends only above {critical_over}"
rules = ["margin-critical"]
series.available_margin = "{high} {critical} {deep} {critical} {critical_over} {high}"
expect = ["10s margin-critical firing {deep}", "25s margin-critical resolved {high}"]
told = ["10s margin-critical firing", "25s margin-critical resolved"]

[[tests]]
name = "critical margin is told again every five minutes while it lasts"
interval = "1m"
rules = ["margin-critical"]
series.available_margin = "{deep}x11 {high}"
expect = ["0s margin-critical firing", "11m margin-critical resolved"]
told = [
    "0s margin-critical firing",
    "5m margin-critical repeat",
    "10m margin-critical repeat",
    "11m margin-critical resolved",
]

[[tests]]
name = "critical margin is told again at once where it is a quarter worse"
rules = ["margin-critical"]
series.available_margin = "{deep} {deeper}"
expect = ["0s margin-critical firing {deep}"]
told = ["0s margin-critical firing", "5s margin-critical worse"]
"""


def new_cases(answers: Answers) -> str:
    """Tests that pass with `template.new_config` of the same answers."""
    warning, critical = answers.warning_below, answers.critical_below
    deep = critical / 2
    return _CASES.format(
        high=amount_text(2 * warning),
        warning=amount_text(warning),
        warning_over=amount_text(warning * HYSTERESIS),
        low=amount_text((warning + critical) / 2),
        critical=amount_text(critical),
        critical_over=amount_text(critical * HYSTERESIS),
        deep=amount_text(deep),
        deeper=amount_text(deep * Decimal("0.75")),
    )
