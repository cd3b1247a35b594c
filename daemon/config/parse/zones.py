"""Time zones as people write them: HKT, UTC+8, Singapore. Finds the zone they meant.

The names of tzdata contain few of these, and the nearest spelling may lie 18 hours away. So
abbreviations are looked up here, offsets are compared with those of the zones, and only names of
places are compared by their letters.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

KNOWN = (
    "Asia/Hong_Kong", "Asia/Singapore", "Asia/Shanghai", "Asia/Tokyo", "Asia/Seoul", "Asia/Bangkok",
    "Asia/Ho_Chi_Minh", "Asia/Jakarta", "Asia/Yangon", "Asia/Dhaka", "Asia/Kathmandu",
    "Asia/Kolkata", "Asia/Karachi", "Asia/Tashkent", "Asia/Kabul", "Asia/Dubai", "Asia/Tehran",
    "Asia/Riyadh", "Europe/Istanbul", "Europe/Moscow", "Africa/Nairobi", "Africa/Johannesburg",
    "Africa/Cairo", "Europe/Athens", "Africa/Lagos", "Europe/Berlin", "Europe/London",
    "Africa/Abidjan", "Atlantic/Azores", "Atlantic/South_Georgia", "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires", "America/St_Johns", "America/Halifax", "America/Caracas",
    "America/New_York", "America/Bogota", "America/Chicago", "America/Mexico_City",
    "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage",
    "Pacific/Gambier", "Pacific/Marquesas", "Pacific/Honolulu", "Pacific/Pago_Pago",
    "Australia/Perth", "Australia/Eucla", "Australia/Darwin", "Australia/Adelaide",
    "Australia/Brisbane", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Noumea",
    "Pacific/Auckland", "Pacific/Fiji", "Pacific/Chatham", "Pacific/Tongatapu",
    "Pacific/Kiritimati",
)  # fmt: skip
"""Zones for each offset in use, at least one, the likeliest first."""

ABBREVIATIONS: dict[str, tuple[str, ...]] = {
    "hkt": ("Asia/Hong_Kong",),
    "sgt": ("Asia/Singapore",),
    "myt": ("Asia/Kuala_Lumpur",),
    "pht": ("Asia/Manila",),
    "jst": ("Asia/Tokyo",),
    "kst": ("Asia/Seoul",),
    "ict": ("Asia/Bangkok",),
    "wib": ("Asia/Jakarta",),
    "cst": ("Asia/Shanghai", "America/Chicago"),
    "cdt": ("America/Chicago",),
    "ist": ("Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"),
    "pkt": ("Asia/Karachi",),
    "gst": ("Asia/Dubai",),
    "trt": ("Europe/Istanbul",),
    "msk": ("Europe/Moscow",),
    "cest": ("Europe/Berlin",),
    "mez": ("Europe/Berlin",),
    "mesz": ("Europe/Berlin",),
    "eest": ("Europe/Athens",),
    "west": ("Europe/Lisbon",),
    "bst": ("Europe/London", "Asia/Dhaka"),
    "wat": ("Africa/Lagos",),
    "cat": ("Africa/Maputo",),
    "eat": ("Africa/Nairobi",),
    "sast": ("Africa/Johannesburg",),
    "brt": ("America/Sao_Paulo",),
    "art": ("America/Argentina/Buenos_Aires",),
    "ast": ("America/Halifax", "Asia/Riyadh"),
    "adt": ("America/Halifax",),
    "est": ("America/New_York",),
    "edt": ("America/New_York",),
    "et": ("America/New_York",),
    "ct": ("America/Chicago",),
    "mst": ("America/Denver",),
    "mdt": ("America/Denver",),
    "mt": ("America/Denver",),
    "pst": ("America/Los_Angeles", "Asia/Manila"),
    "pdt": ("America/Los_Angeles",),
    "pt": ("America/Los_Angeles",),
    "akst": ("America/Anchorage",),
    "akdt": ("America/Anchorage",),
    "awst": ("Australia/Perth",),
    "acst": ("Australia/Adelaide", "Australia/Darwin"),
    "acdt": ("Australia/Adelaide",),
    "aest": ("Australia/Sydney", "Australia/Brisbane"),
    "aedt": ("Australia/Sydney",),
    "nzst": ("Pacific/Auckland",),
    "nzdt": ("Pacific/Auckland",),
}
"""Meanings of each abbreviation. Summer time leads to its zone, which knows when summer is."""

PLACES = {
    "abu dhabi": "Asia/Dubai",
    "bangalore": "Asia/Kolkata",
    "barcelona": "Europe/Madrid",
    "beijing": "Asia/Shanghai",
    "boston": "America/New_York",
    "china": "Asia/Shanghai",
    "delhi": "Asia/Kolkata",
    "frankfurt": "Europe/Berlin",
    "geneva": "Europe/Zurich",
    "germany": "Europe/Berlin",
    "guangzhou": "Asia/Shanghai",
    "hamburg": "Europe/Berlin",
    "hanoi": "Asia/Bangkok",
    "india": "Asia/Kolkata",
    "korea": "Asia/Seoul",
    "miami": "America/New_York",
    "mumbai": "Asia/Kolkata",
    "munich": "Europe/Berlin",
    "osaka": "Asia/Tokyo",
    "saigon": "Asia/Ho_Chi_Minh",
    "san francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "shenzhen": "Asia/Shanghai",
    "taiwan": "Asia/Taipei",
    "tel aviv": "Asia/Jerusalem",
    "thailand": "Asia/Bangkok",
    "uk": "Europe/London",
    "vietnam": "Asia/Ho_Chi_Minh",
    "washington": "America/New_York",
}
"""Places that tzdata lists under another city."""

_OFFSET = re.compile(r"(?:utc|gmt|z)? ?([+-]|\u2212)([0-9]{1,2}):?([0-9]{2})?", re.IGNORECASE)
_WEST = re.compile(r"Etc/GMT([+-])([0-9]{1,2})")
_SEASONS = (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))
_LIKELY = 3
"""Most zones that are suggested."""

EXAMPLES = ("Asia/Hong_Kong", "Europe/Berlin")


def remedy(written: str) -> str:
    """The advice for a time zone that does not exist: `write "Asia/Hong_Kong"`."""
    plain = _plain(written)
    found = ABBREVIATIONS.get(plain) or of_offset(written) or _of_place(plain)
    return (
        f"write {_either(found)}"
        if found
        else f"write a region and a city, such as {_either(EXAMPLES)}"
    )


def doubts(name: str) -> Iterator[str]:
    """Surprises of a time zone that exists: its sign, or that it has no summer time."""
    west = _WEST.fullmatch(name)
    if west and int(west[2]):
        way, other, sign = (
            ("behind", "ahead of", 1) if west[1] == "+" else ("ahead of", "behind", -1)
        )
        meant = _either(_by_offset(sign * timedelta(hours=int(west[2]))) or EXAMPLES)
        yield f"{name} is {west[2]} hours {way} UTC; for {west[2]} hours {other} it write {meant}"
    if name in {"EST", "MST"}:
        yield (
            f"{name} knows no summer time; write {_either(ABBREVIATIONS[name.lower()])} if yours"
            " does"
        )


def of_offset(written: str) -> list[str]:
    """Zones with this offset from UTC in winter or summer; none when the text is no offset."""
    found = _OFFSET.fullmatch(written.strip())
    if not found:
        return []
    east = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return _by_offset(east if found[1] == "+" else -east)


def _by_offset(wanted: timedelta) -> list[str]:
    """Zones with the offset, those first that have it all year."""
    fitting = [name for name in KNOWN if wanted in _offsets(name)]
    return list(islice(sorted(fitting, key=lambda name: len(_offsets(name))), _LIKELY))


def _offsets(name: str) -> set[timedelta | None]:
    try:
        return {each.astimezone(ZoneInfo(name)).utcoffset() for each in _SEASONS}
    except ZoneInfoNotFoundError:  # a machine with a small set of zones
        return set()


def _of_place(plain: str) -> list[str]:
    """The zone with this name or a close one: of the city, or the whole name."""
    city = plain.rpartition("/")[2]
    if city in PLACES:
        return [PLACES[city]]
    names = [name for name in sorted(available_timezones()) if name.startswith(_REGIONS)]
    known = {_plain(name.rpartition("/")[2]): name for name in names} | {
        _plain(name): name for name in names
    }
    near = get_close_matches(plain, known, 1, 0.75) if len(plain) > _SHORT else []
    return [known[each] for each in near]


_REGIONS = (
    "Africa/",
    "America/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)
"""Regions with names of places; other names are old ones, or offsets with a reversed sign."""

_SHORT = 4
"""Letters of an abbreviation: too short to suggest a similar one."""


def _plain(written: str) -> str:
    """The text without what people leave out: capitals, accents, underscores."""
    bare = unicodedata.normalize("NFKD", written).encode("ascii", "ignore").decode()
    return bare.strip().lower().replace("_", " ").removesuffix(" time")


def _either(names: Iterable[str]) -> str:
    *first, last = (f'"{name}"' for name in names)
    return f"{', '.join(first)} or {last}" if first else last
