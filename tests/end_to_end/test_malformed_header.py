"""S2 on the running daemon: receivers whose answer holds a line that is no header, of which
libraries complain.
"""

import asyncio
import re
from pathlib import Path

from daemon.notifiers import secrets
from tests.end_to_end.running import Bell, stage

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nthis is no header\r\n\r\n"
MOVED = b"HTTP/1.1 307 Go\r\nContent-Length: 0\r\nLocation: https://correcthorsebatterystaple.evil.invalid/\r\n\r\n"

URLS = {
    "short": "json://{place}/hooks/tok3nabc123",
    "words": "json://{place}/hooks/correcthorsebatterystaple?redirect=yes",
    "query": "json://{place}/query?-token=Qtok3n99",
    "form": "form://{place}/abcd-efgh",
    "parts": "xml://{place}/a1b2c3d4/e5f6g7h8/i9j0k1l2",
    "topic": "ntfy://{place}/my-topic-77",
    "header": "json://{place}/header?+X-Tok=SECRETHDR1",
    "login": "json://bot:pw-5f@{place}/login",
}
NETRC = "machine 127.0.0.1 login netrc-user password netrc-password\n"


class Wrong:
    """A receiver on loopback that keeps what it is told."""

    def __init__(self, bell: Bell) -> None:
        self.heard: list[bytes] = []
        self._bell = bell

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        self.heard.append(head + await reader.readexactly(int(length[1]) if length else 0))
        writer.write(MOVED if b"correcthorse" in head else ANSWER)
        await writer.drain()
        writer.close()
        self._bell.ring()

    def knows(self, what: str) -> bool:
        return any(what.encode() in head for head in self.heard)


def written(folder: Path) -> bytes:
    """All that the daemon has written."""
    return b"".join(
        path.read_bytes() for path in (folder / "stderr", *folder.glob("marginwatch.db*"))
    )


async def test_s2_a_malformed_header_tells_no_token(tmp_path: Path) -> None:
    """S2, S10, S13: no token in log, database or output; no redirect, no ~/.netrc."""
    (tmp_path / ".netrc").write_text(NETRC)
    (tmp_path / ".netrc").chmod(0o600)
    async with stage(tmp_path) as it:
        wrong = Wrong(it.bell)
        async with await asyncio.start_server(wrong.answer, "127.0.0.1", 0) as server:
            urls = {
                name: url.format(place=f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
                for name, url in URLS.items()
            }
            tables = (
                f'[[channels]]\nname = "{name}"\nurl = "{url}"\ngroup_wait = "0s"\n'
                for name, url in urls.items()
            )
            it.config.write_text(it.config.read_text() + "".join(tables))
            it.config.chmod(0o600)
            it.environ = {"HOME": str(tmp_path)}
            it.show("main", "50")
            await it.begin("--log-level", "debug")
            await it.until(
                lambda: all(
                    wrong.knows(url.split("?")[0].rpartition("/")[2]) for url in urls.values()
                )
            )
            await it.until(lambda: "correct the URL of this channel" in it.said())
            assert await it.stop() == 0
        said = [await it.run(*command) for command in (("status",), ("notifications",), ("check",))]
        wrote = written(tmp_path)
    everything = (wrote.decode(errors="replace") + "".join(said)).lower()
    assert [
        secret for url in urls.values() for secret in secrets(url) if secret.lower() in everything
    ] == []
    assert "***.evil.invalid (http 307)" in everything
    assert not wrong.knows("netrc")
    assert not wrong.knows("bmV0cmM")  # the same in base64
