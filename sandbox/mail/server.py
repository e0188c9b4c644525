"""What letters were sent? An SMTP server on loopback that takes everything, keeps it in memory and delivers nothing.

It speaks EHLO, MAIL, RCPT, DATA, RSET, NOOP and QUIT. `refuses` names recipients it answers 550, as a real one does
whose mailbox is unknown; a message id it has already seen is taken and not kept twice, as receivers commonly do.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """Start, read `letters`, stop. Runs in a thread of its own, so that blocking clients can talk to it."""

    host: str = "127.0.0.1"
    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> MailServer:
        """Listen; `port` is then the one taken."""
        self._thread.start()
        self._ready.wait(timeout=10)
        return self

    def stop(self) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def to(self, address: str) -> list[EmailMessage]:
        """The letters to one address, in order."""
        return [letter for letter in self.letters if letter["To"] == address]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._talk, self.host, self.port))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.sandbox.example ready\r\n")
        while line := await reader.readline():
            words = line.decode("utf-8", "replace").strip()
            verb = words.partition(" ")[0].upper()
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                await writer.drain()
                self._keep(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 taken\r\n")
            elif verb == "EHLO":
                writer.write(b"250-mail.sandbox.example\r\n250 SMTPUTF8\r\n")
            elif verb == "RCPT" and any(address in words for address in self.refuses):
                writer.write(b"550 no such mailbox\r\n")
            elif verb in ("HELO", "MAIL", "RCPT", "RSET", "NOOP"):
                writer.write(b"250 ok\r\n")
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"500 not understood\r\n")
            await writer.drain()
        writer.close()

    def _keep(self, data: bytes) -> None:
        unstuffed = data.removesuffix(b"\r\n.\r\n").replace(b"\r\n..", b"\r\n.")
        letter = message_from_bytes(unstuffed, policy=policy.default)
        if all(letter["Message-ID"] != kept["Message-ID"] for kept in self.letters):
            self.letters.append(letter)
