"""`since(x, "08:00")`: the change of x since the clock last showed that time (see `_day`)."""

from daemon.rules.functions import Parameter, StatefulFunction
from daemon.rules.functions._day import LOOK_BACK, DayChange

FUNCTION = StatefulFunction(
    start=DayChange,
    look_back=LOOK_BACK,
    unknown="no reading since then has a value",
    excess="for the change over a span write `delta(x, 8h)`",
    parameters=(Parameter.SERIES, Parameter.TIME),
)
