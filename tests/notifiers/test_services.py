"""Limits of services: derived ones for unknown services, and how texts are weighed."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.notifiers import Pictures, Traits
from daemon.notifiers.services import (
    SERVICES,
    Form,
    Limits,
    Service,
    encoded,
    escaped,
    in_plain_text,
    service,
    utf16,
)


@pytest.mark.parametrize(
    ("limits", "room"),
    [
        (Limits(body=32_768), 3_800),
        (Limits(body=1_024), 1_009),
        (Limits(body=160), 145),
        (Limits(body=4_000, formats=("markdown",)), 1_992),
        (Limits(body=20_000, formats=("html",)), 3_330),
        (Limits(body=2_000, formats=("markdown", "text")), 1_985),
        (Limits(body=10), 1),
    ],
)
def test_the_room_of_other_services(limits: Limits, room: int) -> None:
    """F5: derived limits surely fit a text with its characters escaped and its title in front."""
    assert service("other", limits).traits == Traits(room=room)


def test_b10_services_for_mail_get_the_message_as_html() -> None:
    """B10: if the room suffices; a text without HTML gets visible line ends."""
    mail, small = (
        service("sendgrid", Limits(32_768, ("html",))),
        service("pushplus", Limits(20_000, ("html",))),
    )
    assert (mail.traits.html, mail.form, small.traits.html, small.form) == (
        True,
        Form.LINES,
        False,
        Form.LINES,
    )
    assert service("bark", Limits(32_768, ("text", "html"))).form is Form.TEXT
    assert in_plain_text(service("brevo", Limits(32_768, ("html", "text")))) == Service(Traits())


def test_others_promise_nothing() -> None:
    """F8: a service that nobody looked at gets text alone, as often as there is any."""
    traits = service("other", Limits(32_768)).traits
    assert (traits.pictures, traits.html, traits.pace) == (Pictures.NONE, False, ())


@given(st.text())
def test_texts_are_weighed_as_services_count(text: str) -> None:
    """F5: UTF-16 units, bytes of UTF-8 at most, and entities; parts weigh as much as the whole."""
    assert utf16(text) == len(text.encode("utf-16-le")) // 2
    assert encoded(text) >= len(text.encode())
    assert escaped(text) >= len(text)
    for weigh in (utf16, encoded, escaped):
        assert weigh(text + text) == 2 * weigh(text)


def test_every_service_known_is_one_of_apprise() -> None:
    """The table names schemes that Apprise has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from daemon.notifiers.apprise import plugins  # noqa: PLC0415 -- loading all of Apprise warns of others' mistakes
    assert [scheme for scheme in SERVICES if scheme not in plugins._SERVICES] == []
