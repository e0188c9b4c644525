"""Are signed heads laid out as others lay them out, and believed only when the right key signed them?"""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.audit import Checkpoint, NotAuthentic, SigningKey, VerifyKey, open_note, sign
from retention.audit.checkpoint import _split

KEY = SigningKey("log.example/audit", bytes(range(32)))
OTHER = SigningKey("log.example/audit", bytes(range(1, 33)))
HEAD = Checkpoint("log.example/audit", 12, bytes(range(32)))
NOTE = sign(HEAD, KEY)

# From the test of Go's note package: a key and a note that it signed.
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_keys_are_read_and_written_as_other_tools_do() -> None:
    assert VerifyKey.parse(GO_PUBLIC).text == GO_PUBLIC
    assert SigningKey.parse(GO_PRIVATE).text == GO_PRIVATE
    assert SigningKey.parse(GO_PRIVATE).verify_key == VerifyKey.parse(GO_PUBLIC)


def test_a_note_of_another_tool_is_split_and_its_signature_accepted_before_its_text_is_judged() -> None:
    note = f"{GO_TEXT}\n\u2014 PeterNeumann {GO_SIGNATURE}\n"
    assert _split(note) == (GO_TEXT, [("PeterNeumann", base64.b64decode(GO_SIGNATURE))])
    with pytest.raises(NotAuthentic, match="it is not a checkpoint"):
        open_note(note, [VerifyKey.parse(GO_PUBLIC)])
    with pytest.raises(NotAuthentic, match="does not fit"):
        open_note(note.replace("problem is", "answer is"), [VerifyKey.parse(GO_PUBLIC)])


def test_a_signed_head_is_three_lines_a_blank_and_a_signature() -> None:
    origin, size, root, blank, signature, end = NOTE.split("\n")
    assert (origin, size, base64.b64decode(root), blank, end) == (HEAD.origin, "12", HEAD.root, "", "")
    assert signature.startswith("\u2014 log.example/audit ")
    assert base64.b64decode(signature.split(" ")[2])[:4] == KEY.verify_key.key_id


def test_a_head_that_the_key_signed_is_believed_whoever_else_signed_it() -> None:
    assert open_note(NOTE, [KEY.verify_key]) == HEAD
    assert open_note(NOTE, [OTHER.verify_key, KEY.verify_key]) == HEAD
    witness = "\u2014 witness.example/w " + base64.b64encode(b"\x00\x00\x00\x01" + bytes(72)).decode() + "\n"
    assert open_note(NOTE + witness, [KEY.verify_key]) == HEAD


def test_a_head_signed_by_another_key_of_the_same_name_is_not_believed() -> None:
    with pytest.raises(NotAuthentic, match="not signed by any"):
        open_note(sign(HEAD, OTHER), [KEY.verify_key])


def signed(text: str, key: SigningKey) -> str:
    """Any text signed by any key, as `sign` would never do."""
    signature = Ed25519PrivateKey.from_private_bytes(key.seed).sign(text.encode())
    encoded = base64.b64encode(key.verify_key.key_id + signature).decode()
    return f"{text}\n\u2014 {key.name} {encoded}\n"


def test_a_head_signed_by_a_known_key_of_another_log_is_not_believed() -> None:
    elsewhere = SigningKey("elsewhere.example/audit", bytes(32))
    with pytest.raises(NotAuthentic, match="not by the log it speaks of"):
        open_note(signed(HEAD.text, elsewhere), [KEY.verify_key, elsewhere.verify_key])
    with pytest.raises(ValueError, match="own name"):
        sign(HEAD, elsewhere)


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(0, 7))
@settings(max_examples=300, deadline=None)
def test_no_bit_of_a_note_can_be_turned(place: int, bit: int) -> None:
    raw = bytearray(NOTE.encode())
    raw[place] ^= 1 << bit
    with pytest.raises(NotAuthentic):
        open_note(raw.decode("utf-8", errors="replace"), [KEY.verify_key])


def test_a_signature_has_one_spelling_only() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    respelled = NOTE[:-3] + alphabet[alphabet.index(NOTE[-3]) ^ 1] + "=\n"
    assert base64.b64decode(respelled.split(" ")[-1]) == base64.b64decode(NOTE.split(" ")[-1])
    with pytest.raises(NotAuthentic, match="malformed"):
        open_note(respelled, [KEY.verify_key])


@pytest.mark.parametrize(
    "text",
    [
        "log.example/audit\n012\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "log.example/audit\n-1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "log.example/audit\n1\n" + base64.b64encode(bytes(31)).decode() + "\n",
        "log.example/audit\n1\n" + base64.b64encode(bytes(32)).decode() + "\nextension\n",
        "log.example/audit\n1\n",
    ],
    ids=["leading zero", "negative", "short root", "extension", "no root"],
)
def test_signed_text_that_is_no_checkpoint_of_ours_is_refused(text: str) -> None:
    with pytest.raises(NotAuthentic, match="not a checkpoint"):
        open_note(signed(text, KEY), [KEY.verify_key])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log.example/audit",
        GO_PUBLIC.replace("c74f20a3", "c74f20a4"),
        GO_PUBLIC.replace("+ARpc", "+AhpC"),
        GO_PUBLIC[:-4],
    ],
)
def test_a_public_key_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key"):
        VerifyKey.parse(text)


def test_the_private_key_is_never_shown() -> None:
    assert KEY.seed.hex() not in repr(KEY)
    assert repr(KEY.seed) not in repr(KEY)
    broken = KEY.text.replace("PRIVATE", "PUBLIC")
    with pytest.raises(ValueError, match="signing key") as caught:
        SigningKey.parse(broken)
    assert broken.rsplit("+", 1)[1] not in str(caught.value)
