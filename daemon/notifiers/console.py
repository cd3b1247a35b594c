"""The notifier of `demo`: writes the message as plain text on a stream."""

from typing import Protocol

from daemon.notifiers import Traits
from daemon.types import AttemptResult, Message, Outcome


class Output(Protocol):
    """A stream of text."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class ConsoleNotifier:
    """Writes each message to a stream, framed so that it stands out between log lines."""

    def __init__(self, stream: Output) -> None:
        self._stream = stream
        self.traits = Traits()

    async def send(self, message: Message) -> AttemptResult:
        body = "".join(f"  | {line}\n" for line in message.body.splitlines())
        try:
            self._stream.write(f"  | {message.title}\n{body}")
            self._stream.flush()
        except (OSError, ValueError) as error:
            return AttemptResult(
                Outcome.LATER, f"the stream cannot be written ({type(error).__name__})"
            )
        return AttemptResult(Outcome.DELIVERED)
