"""What does the server do with one SFTP request? The work itself, logged, and broken where a fault asks for it.

Faults, in the words of the control surface: `status` answers 403 as permission denied, 404 as no such file and anything
else as a bare failure; `timeout_after_effect` does the work and drops the connection; `html` (no server of this kind
behind the port) drops it before the work, or after with `after_effect`; `truncated` gives half of a file or listing and
drops the connection. A file is one call from open to close, so that faults of writing show when it is closed.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import NoReturn, TypeVar, cast

import asyncssh

from sandbox.control import Call, Control, Fault
from sandbox.sftp.tree import Tree

T = TypeVar("T")

_OK = 0
_AS_STATUS: dict[int, Callable[[str], asyncssh.SFTPError]] = {
    403: asyncssh.SFTPPermissionDenied,
    404: asyncssh.SFTPNoSuchFile,
}
_REFUSALS = ("status", "html")


@dataclass
class _Opened:
    call: Call
    fault: Fault | None
    writes: bool
    limit: int | None = None
    """Where a truncated file breaks off."""


class Session(asyncssh.SFTPServer):
    """One client's session over the tree. Renaming never overwrites; the POSIX form does, as with OpenSSH."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], tree: Tree, control: Control) -> None:
        super().__init__(channel, chroot=os.fsencode(tree.root))
        self._tree = tree
        self._control = control
        self._opened: dict[int, _Opened] = {}

    # --- Whole files ---

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        writes = bool(pflags & asyncssh.FXF_WRITE)
        call, fault = self._begin("WRITE" if writes else "READ", path)
        await self._before(call, fault)
        if writes and fault and fault.fault == "success_without_effect":
            # Written into nowhere: the file closes well and the tree is as before.
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        else:
            file = cast(FileIO, self._try(call, lambda: super(Session, self).open(path, pflags, attrs)))
        opened = _Opened(call, fault, writes)
        if fault and fault.fault == "truncated" and not writes:
            opened.limit = os.fstat(file.fileno()).st_size // 2
        if not writes:
            call.touch([_text(path)])
        self._opened[id(file)] = opened
        return file

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        limit = self._opened[id(file_obj)].limit
        if limit is not None and offset >= limit:
            self._drop()
        content = cast(bytes, super().read(file_obj, offset, size))
        return content if limit is None else content[: limit - offset]

    async def close(self, file_obj: object) -> None:
        opened = self._opened.pop(id(file_obj))
        if opened.writes:
            without_effect = opened.fault is not None and opened.fault.fault == "success_without_effect"
            if not without_effect:
                self._tree.date(cast(FileIO, file_obj).fileno())
            opened.call.touch([opened.call.path], effect=not without_effect)
        cast(FileIO, file_obj).close()
        await self._after(opened.call, opened.fault)

    # --- Names ---

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        call, fault = self._begin("LIST", path)
        await self._before(call, fault)
        local = self._local(path)
        names = self._try(call, lambda: sorted(os.listdir(local)))
        half = len(names) // 2 if fault and fault.fault == "truncated" else None
        for own in (b".", b".."):
            yield asyncssh.SFTPName(own, attrs=asyncssh.SFTPAttrs.from_local(local.stat()))
        for position, name in enumerate(names):
            if position == half:
                break
            entry = local / name
            if os.path.lexists(entry):
                yield asyncssh.SFTPName(os.fsencode(name), attrs=asyncssh.SFTPAttrs.from_local(entry.lstat()))
        await self._after(call, fault)

    async def lstat(self, path: bytes) -> os.stat_result:
        return await self._look("LSTAT", path, lambda: self._local(path).lstat())

    async def stat(self, path: bytes) -> os.stat_result:
        return await self._look("STAT", path, lambda: self._local(path).stat())

    async def readlink(self, path: bytes) -> bytes:
        return await self._look("READLINK", path, lambda: os.fsencode(self._local(path).readlink()))

    # --- Changes ---

    async def remove(self, path: bytes) -> None:
        await self._change("REMOVE", [path], lambda: self._local(path).unlink())

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        def rename() -> None:
            if os.path.lexists(self._local(newpath)):
                raise asyncssh.SFTPFailure("Failure")
            self._local(oldpath).rename(self._local(newpath))

        await self._change("RENAME", [oldpath, newpath], rename)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        def replace() -> None:
            self._local(oldpath).replace(self._local(newpath))

        await self._change("POSIX_RENAME", [oldpath, newpath], replace)

    async def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        def mkdir() -> None:
            self._local(path).mkdir(mode=0o777 if attrs.permissions is None else attrs.permissions)
            self._tree.date(self._local(path))

        await self._change("MKDIR", [path], mkdir)

    async def rmdir(self, path: bytes) -> None:
        await self._change("RMDIR", [path], lambda: self._local(path).rmdir())

    async def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        await self._change("SETSTAT", [path], lambda: cast(None, super(Session, self).setstat(path, attrs)))

    async def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        await self._change("SYMLINK", [newpath], lambda: cast(None, super(Session, self).symlink(oldpath, newpath)))

    async def link(self, oldpath: bytes, newpath: bytes) -> None:
        await self._change("LINK", [newpath], lambda: cast(None, super(Session, self).link(oldpath, newpath)))

    # --- One call: logged, broken if asked for, answered ---

    async def _look(self, method: str, path: bytes, work: Callable[[], T]) -> T:
        call, fault = self._begin(method, path)
        await self._before(call, fault)
        answer = self._try(call, work)
        call.touch([_text(path)])
        await self._after(call, fault)
        return answer

    async def _change(self, method: str, paths: list[bytes], work: Callable[[], None]) -> None:
        call, fault = self._begin(method, paths[0])
        await self._before(call, fault)
        without_effect = fault is not None and fault.fault == "success_without_effect"
        if not without_effect:
            self._try(call, work)
        call.touch([_text(path) for path in paths], effect=not without_effect)
        await self._after(call, fault)

    def _begin(self, method: str, path: bytes) -> tuple[Call, Fault | None]:
        name = _text(path)
        call = self._control.calls.open(method, name, "{path}")
        fault = self._control.faults.take(method, name)
        call.fault = fault.fault if fault else None
        call.status = _OK
        return call, fault

    async def _before(self, call: Call, fault: Fault | None) -> None:
        if fault is None:
            return
        if fault.fault == "delay_before_effect":
            await asyncio.sleep(fault.seconds)
        if fault.fault in _REFUSALS and not fault.after_effect:
            self._refuse(call, fault)

    async def _after(self, call: Call, fault: Fault | None) -> None:
        if fault is None:
            return
        if fault.fault == "delay_after_effect":
            await asyncio.sleep(fault.seconds)
        elif fault.fault in ("timeout_after_effect", "truncated"):
            call.status = None
            self._drop()
        elif fault.fault in _REFUSALS and fault.after_effect:
            self._refuse(call, fault)

    def _refuse(self, call: Call, fault: Fault) -> NoReturn:
        if fault.fault == "html":
            call.status = None
            self._drop()
        error = _AS_STATUS.get(fault.status, asyncssh.SFTPFailure)("Failure")
        call.status = error.code
        raise error

    def _drop(self) -> NoReturn:
        """Cut the connection under the session: what is answered from here on reaches nobody."""
        self.connection.abort()
        raise asyncssh.SFTPConnectionLost("the sandbox cut this connection")

    def _try(self, call: Call, work: Callable[[], T]) -> T:
        """Do the work; what the system says against it becomes one of the three answers that OpenSSH gives."""
        try:
            return work()
        except FileNotFoundError:
            error: asyncssh.SFTPError = asyncssh.SFTPNoSuchFile("No such file")
        except PermissionError:
            error = asyncssh.SFTPPermissionDenied("Permission denied")
        except (OSError, asyncssh.SFTPError):
            error = asyncssh.SFTPFailure("Failure")
        call.status = error.code
        raise error

    def _local(self, path: bytes) -> Path:
        return Path(os.fsdecode(self.map_path(path)))


def _text(path: bytes) -> str:
    """A path as the call log and faults name it: absolute from the served root."""
    return "/" + os.path.normpath(b"/" + path).decode("utf-8", "backslashreplace").lstrip("/")
