"""Messages to Telegram: what Apprise's plugin for it does not do as we need it."""

from typing import Any

from apprise.plugins.telegram import NotifyTelegram


class Telegram(NotifyTelegram):
    """Apprise's Telegram plugin, with single silent pictures made to work.

    It ignores `image=yes`: Apprise's own picture would arrive first, as a message that rings.
    """

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts | {"include_image": False})  # type: ignore[no-untyped-call]

    def send_media(
        self, target: Any, notify_type: Any, payload: Any = None, *rest: Any, **named: Any
    ) -> bool:
        silent = {"disable_notification": "true"} if self.silent else {}
        return bool(
            super().send_media(target, notify_type, {**(payload or {}), **silent}, *rest, **named)
        )
