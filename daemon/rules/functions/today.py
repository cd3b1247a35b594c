"""`today(x)`: the change of x since midnight, like `since(x, "00:00")` (see `_day`)."""

from daemon.rules.functions import StatefulFunction
from daemon.rules.functions._day import LOOK_BACK, DayChange

FUNCTION = StatefulFunction(
    start=DayChange,
    look_back=LOOK_BACK,
    unknown="no reading of today has a value",
    excess='for the change since another time write `since(x, "08:00")`',
)
