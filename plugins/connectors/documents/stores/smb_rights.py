"""Who may read a file on a share? Its access list, taken from one file and given to another."""

from __future__ import annotations

from typing import Any

import smbclient  # type: ignore[import-untyped]
from smbprotocol.file_info import InfoType  # type: ignore[import-untyped]
from smbprotocol.open import (  # type: ignore[import-untyped]
    SMB2QueryInfoRequest,
    SMB2QueryInfoResponse,
    SMB2SetInfoRequest,
)

_DELETE, _READ_CONTROL, _WRITE_DAC = 0x10000, 0x20000, 0x40000
_ACCESS_LIST = 4
_LARGEST = 64 * 1024


def give_rights_of(source: str, target: str, session: dict[str, Any]) -> None:
    """Let the same people read a file as may read another: what is written anew has the rights of its folder."""
    with _opened(source, _READ_CONTROL, session) as file:
        asking = SMB2QueryInfoRequest()
        asking["output_buffer_length"] = _LARGEST
        answer = SMB2QueryInfoResponse()
        answer.unpack(_asked(file, asking)["data"].get_value())
        rights = answer["buffer"].get_value()
    with _opened(target, _WRITE_DAC, session) as file:
        giving = SMB2SetInfoRequest()
        giving["buffer"] = rights
        _asked(file, giving)


def refuse_if_open(at: str, session: dict[str, Any]) -> None:
    """A sharing violation if anybody has the file open: replacing it is then answered as if it were forbidden."""
    _opened(at, _DELETE, session, sharing="").close()


def _opened(at: str, access: int, session: dict[str, Any], sharing: str = "rwd") -> Any:
    return smbclient.open_file(at, mode="rb", buffering=0, share_access=sharing, desired_access=access, **session)


def _asked(file: Any, request: Any) -> Any:
    request["info_type"] = InfoType.SMB2_0_INFO_SECURITY
    request["additional_information"] = _ACCESS_LIST
    request["file_id"] = file.fd.file_id
    tree = file.fd.tree_connect
    sent = file.fd.connection.send(request, tree.session.session_id, tree.tree_connect_id)
    return file.fd.connection.receive(sent)
