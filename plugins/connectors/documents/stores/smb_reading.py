"""What do the bytes of a file on a share say, and which alternate streams hang on it? Both in one visit.

A first scan opens every file, and each message costs as much as the reading of a short one: so what can be asked
together goes out together, and a file of usual size is opened, read, asked and closed in two messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import smbclient  # type: ignore[import-untyped]
from smbprotocol import MAX_PAYLOAD_SIZE  # type: ignore[import-untyped]
from smbprotocol.exceptions import SMBResponseException  # type: ignore[import-untyped]
from smbprotocol.file_info import FileStreamInformation  # type: ignore[import-untyped]
from smbprotocol.open import SMB2QueryInfoRequest, SMB2QueryInfoResponse  # type: ignore[import-untyped]

from connectors.documents.stores.store import Failed, TooLarge

_CHUNK = 1024 * 1024
_MAIN_STREAM = "::$DATA"
_STREAM_TYPE = ":$DATA"
_Question = tuple[Any, Callable[[Any], Any]]


def content_of(at: str, most: int | None, session: dict[str, Any]) -> bytes:
    """A file's bytes, or a stream's."""
    with _opened(at, session) as file:
        size = _size(file, most)
        return _refuse_if_shorter(_rest(file), size)


def content_and_streams(
    at: str, most: int | None, session: dict[str, Any]
) -> tuple[bytes, Sequence[str] | SMBResponseException]:
    """A file's bytes, and the names of its alternate streams, as they follow its own; or why nobody knows them."""
    with _opened(at, session) as file:
        size = _size(file, most)
        first = min(size, MAX_PAYLOAD_SIZE)
        questions = [_streams_of(file)]
        questions += [file.fd.read(0, first, send=False)] if first else []
        questions += [file.fd.close(send=False)] if first == size else []
        streams, *read = _asked_together(file, questions)
        content = b""
        if first:
            content = _or_raise(read[0])
        if first < size:
            file.seek(len(content))
            content += _rest(file)
        return _refuse_if_shorter(content, size), streams


def streams_among(names: Iterable[str]) -> Sequence[str]:
    """What follows a file's own name in that of its alternate streams."""
    return [name.removesuffix(_STREAM_TYPE) for name in names if name != _MAIN_STREAM]


def _opened(at: str, session: dict[str, Any]) -> Any:
    """Open for all to share: a scanner must keep nobody from their file."""
    return smbclient.open_file(at, mode="rb", buffering=0, share_access="rwd", **session)


def _size(file: Any, most: int | None) -> int:
    size: int = file.seek(0, 2)
    file.seek(0)
    if most is not None and size > most:
        raise TooLarge
    return size


def _rest(file: Any) -> bytes:
    chunks: list[bytes] = []
    while chunk := file.read(_CHUNK):
        chunks.append(chunk)
    return b"".join(chunks)


def _refuse_if_shorter(content: bytes, size: int) -> bytes:
    if len(content) < size:
        raise Failed  # cut shorter while it was read
    return content


def _streams_of(file: Any) -> _Question:
    asking = SMB2QueryInfoRequest()
    asking["info_type"] = FileStreamInformation.INFO_TYPE
    asking["file_info_class"] = FileStreamInformation.INFO_CLASS
    asking["file_id"] = file.fd.file_id
    asking["output_buffer_length"] = MAX_PAYLOAD_SIZE

    def names(sent: Any) -> Sequence[str]:
        answer = SMB2QueryInfoResponse()
        answer.unpack(file.fd.connection.receive(sent)["data"].get_value())
        return streams_among(one["stream_name"].get_value() for one in answer.parse_buffer(FileStreamInformation))

    return asking, names


def _asked_together(file: Any, questions: Sequence[_Question]) -> list[Any]:
    """What each was answered, or what came instead. All are received, or the connection waits for them."""
    tree = file.fd.tree_connect
    asked = [question for question, _ in questions]
    sent = file.fd.connection.send_compound(asked, tree.session.session_id, tree.tree_connect_id)
    answers: list[Any] = []
    for one, (_, receive) in zip(sent, questions, strict=True):
        try:
            answers.append(receive(one))
        except SMBResponseException as error:
            answers.append(error)
    return answers


def _or_raise(answer: Any) -> bytes:
    if isinstance(answer, SMBResponseException):
        raise answer
    return bytes(answer)
