"""The daemon with three real channels, each behind a gate: a webhook, a mail server, Telegram.

    desk ── json:// ──► Receiver     mail ── mailto:// ──► Mailbox     phone ── tgram:// ──► BotApi

Received messages are read from the servers. Charts fail unless they are sketched: rendering one
takes longer than a whole run of the daemon.
"""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.end_to_end.gates import Gate
from tests.end_to_end.running import Heard, News, Stage, send, stage
from tests.notifiers import mailserver
from tests.notifiers.botapi import URL, BotApi
from tests.notifiers.mailserver import Mailbox

DESK, MAIL, PHONE = "desk", "mail", "phone"
CHANNELS = (DESK, MAIL, PHONE)

WAYS = """
[[channels]]
name = "mail"
url = "{mail}"
group_wait = "{group_wait}"
{mail_more}

[[channels]]
name = "phone"
url = "{phone}"
group_wait = "{group_wait}"
{phone_more}

[[rules]]
name = "low"
when = "available_margin < 100"
clear_when = "available_margin > 120"
flapping = ""
{rule_more}
"""
SKETCH = b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xaeB`\x82"
_STEAD = "instead"

ACCOUNTS = ("main", "second", "third")
"""Only `main` moves; that the others are asked about wakes the test more often."""


@dataclass(slots=True)
class Street:
    """The stage, the gates by channel, and what is behind them."""

    stage: Stage
    gates: dict[str, Gate]
    box: Mailbox
    telegram: BotApi

    def heard(self, channel: str) -> list[Heard]:
        """All messages that arrived on the channel."""
        if channel == DESK:
            return self.stage.receiver.heard
        if channel == MAIL:
            return [_mail(mail) for mail in self.box.got]
        return [Heard(*shown.text.split("\n", 1)) for shown in self.telegram.chat if shown.text]

    def news(self, channel: str) -> list[News]:
        return [news for message in self.heard(channel) for news in message.news]

    def freeze(self) -> None:
        """The process is stopped in the middle of whatever it does."""
        send(self.stage.life.process, signal.SIGSTOP)

    def sketch_charts(self) -> None:
        """Render charts as an empty picture at once, from the next start on."""
        _instead(self.stage.folder, f"import os; os.write(1, {SKETCH!r}); os._exit(0)")

    def thaw(self) -> None:
        send(self.stage.life.process, signal.SIGCONT)

    async def let_on(self, channels: Iterable[str] = CHANNELS) -> None:
        """Release the messages held on these channels."""
        for name in channels:
            await self.gates[name].let_on()

    async def kill(self) -> None:
        """The end of the process, and of what it was about to say or to hear."""
        await self.stage.kill()
        for gate in self.gates.values():
            await gate.forget()


def _mail(mail: EmailMessage) -> Heard:
    """The text that Apprise makes of the HTML has blank lines within what is said of one alert."""
    part = mail.get_body(("plain",))
    assert part is not None
    return Heard(
        str(mail["Subject"]), "\n".join(filter(None, str(part.get_content()).splitlines()))
    )


def _instead(folder: Path, does: str) -> Path:
    """Replace the chart renderer's program on the search path by this one."""
    stead = folder / _STEAD
    (stead / "matplotlib").mkdir(parents=True, exist_ok=True)
    (stead / "matplotlib" / "__init__.py").write_text(does)
    return stead


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program has begun to write: whatever the daemon commits waits."""
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@asynccontextmanager
async def street(
    folder: Path,
    *,
    group_wait: str = "0s",
    mail_more: str = "",
    phone_more: str = "",
    rule_more: str = "",
) -> AsyncIterator[Street]:
    """Everything but the daemon; `…_more` are further lines of channels and rule."""
    async with AsyncExitStack() as undo:
        box = undo.enter_context(mailserver.serving())
        telegram = undo.enter_context(BotApi().serving())
        ways = WAYS.format(
            mail=mailserver.address(0),
            phone=URL,
            group_wait=group_wait,
            mail_more=mail_more,
            phone_more=phone_more,
            rule_more=rule_more,
        )
        it = await undo.enter_async_context(
            stage(folder, ACCOUNTS, rules=ways, group_wait=group_wait)
        )
        gates = {
            DESK: Gate(it.bell, it.receiver.port, lambda: len(it.receiver.heard)),
            MAIL: Gate(it.bell, box.port, lambda: len(box.got)),
            PHONE: Gate(it.bell, telegram.receiver.port, lambda: len(telegram.receiver.got)),
        }
        for gate in gates.values():
            await gate.start()
            undo.push_async_callback(gate.stop)
        undo.push_async_callback(it.bury)
        written = it.config.read_text().replace(f":{it.receiver.port}/", f":{gates[DESK].port}/")
        it.config.write_text(
            written.replace(mailserver.address(0), mailserver.address(gates[MAIL].port))
        )
        it.environ.update(telegram.environment(folder, gates[PHONE].port))
        it.environ["PYTHONPATH"] += f":{_instead(folder, 'raise ImportError')}"
        loop = asyncio.get_running_loop()
        telegram.heard = lambda: loop.call_soon_threadsafe(it.bell.ring)
        yield Street(it, gates, box, telegram)
