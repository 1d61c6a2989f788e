"""Keys and signatures: Ed25519 (RFC 8032), by the package cryptography.

A private key is a PEM file (PKCS #8) that only its owner may read; a public key and a signature are
bytes in hexadecimal digits.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from qwasmc.diagnostics import Kind, error

PUBLIC_KEY = re.compile("[0-9a-f]{64}")
SIGNATURE = re.compile("[0-9a-f]{128}")

MAX_BYTES = 1 << 14
"""Longest file of a private key."""

OTHERS = 0o077
"""The permissions of a file that are not its owner's."""


def make_key(path: str, password: str = "") -> str:
    """Write a new private key, encrypted if there is a password; returns the public key.

    A file that exists is never overwritten.
    """
    key = Ed25519PrivateKey.generate()
    protection = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    try:
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(text)
    except OSError as refused:
        reason = refused.strerror or str(refused)
        raise error(f"cannot write the key '{path}': {reason}", kind=Kind.USAGE) from refused
    return public_key(key)


def load_key(path: str, ask: Callable[[], str]) -> Ed25519PrivateKey:
    """The private key in a file; `ask` is called for the password if it is encrypted.

    CompileError if there is none, or others may read it.
    """
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(MAX_BYTES)
    except OSError as refused:
        reason = refused.strerror or str(refused)
        raise error(f"cannot read the key '{path}': {reason}", kind=Kind.USAGE) from refused
    if os.name == "posix" and mode & OTHERS:
        raise error(
            f"the private key '{path}' is open to others than its owner",
            kind=Kind.USAGE,
            help=f"whoever read it can sign: make a new one, or run `chmod 600 {Path(path).name}`",
        )
    return _decoded(text, path, ask)


def _decoded(text: bytes, path: str, ask: Callable[[], str]) -> Ed25519PrivateKey:
    encrypted = b"ENCRYPTED" in text
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = load_pem_private_key(text, ask().encode() if encrypted else None)
        if isinstance(key, Ed25519PrivateKey):
            return key
    wrong = "is no private key of Ed25519"
    if encrypted:
        wrong = "cannot be decrypted with this password"
    raise error(f"'{path}' {wrong}", kind=Kind.USAGE, help="`qwasmc rules key KEYFILE` makes a key")


def public_key(key: Ed25519PrivateKey) -> str:
    """The public key that belongs to a private one."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def sign(key: Ed25519PrivateKey, message: bytes) -> str:
    """The signature of a message."""
    return key.sign(message).hex()


def is_signed(message: bytes, signature: str, public: str) -> bool:
    """Whether the signature is that of the message, by the owner of the public key."""
    try:
        verifier = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        verifier.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True
