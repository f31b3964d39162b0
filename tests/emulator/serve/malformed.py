"""Streams of bytes that are almost, or not at all, HTTP."""

from __future__ import annotations

import random

_LINES = [
    b"GET / HTTP/1.1", b"POST /ml/v4/models HTTP/1.1", b"GET / HTTP/1.0", b"GET  / HTTP/1.1", b"GET / HTTP/9.9",
    b"GET /", b"get / http/1.1", b"CONNECT x:443 HTTP/1.1", b"OPTIONS * HTTP/1.1",
    b"GET https://evil.example/ HTTP/1.1",
    b"\x00\x01\x02", b"\x80\xff\xfe HTTP/1.1", b"PUT /" + b"a" * 70_000 + b" HTTP/1.1", b"", b"PRI * HTTP/2.0",
    b"GET /%00%ff%2e%2e/ HTTP/1.1", b"GET /\xc3\xa9 HTTP/1.1",
]  # fmt: skip
_FIELDS = [
    b"Host: 127.0.0.1", b"Host: evil.example", b"Host:", b"Content-Length: 5", b"Content-Length: -1",
    b"Content-Length: +5", b"Content-Length: 5, 5", b"Content-Length: 99999999999999999999", b"Content-Length: 0x5",
    b"Content-Length : 5", b"Content_Length: 7", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity", b"Expect: 100-continue", b"Connection: close", b" folded", b"no colon", b": empty",
    b"X: " + b"y" * 70_000, b"X: a\rb", b"X: \x00", b"Authorization: Bearer a.b.c", b"Origin: https://evil.example",
    b"Cookie: " + b" " * 5000 + b"x", b"Connection: keep-alive, Upgrade",
]  # fmt: skip
_BODIES = [
    b"", b"12345", b"5\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"5\r\nhel",
    b"5\r\nhelloXX0\r\n\r\n", b"fffffffffffffffff\r\n", b"1_0\r\n", b"0\r\nX: " + b"y" * 9000, b"\n\n\n", b"{" * 9000,
    b"5" * 9000, b"0\r\n" + b"a: b\r\n" * 200,
]  # fmt: skip


def malformed(dice: random.Random) -> bytes:
    """One stream: requests put together wrongly, cut anywhere, bytes turned over."""
    parts = []
    for _ in range(dice.choice([1, 1, 1, 2])):
        lines = [dice.choice(_LINES), *dice.choices(_FIELDS, k=dice.choice([0, 1, 2, 3, 5, 150]))]
        if dice.random() < 0.6:
            lines.insert(1, b"Host: 127.0.0.1")
        end = dice.choice([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\n\r"])
        parts.append(end.join([*lines, b"", b""]) + dice.choice(_BODIES))
    stream = bytearray(b"".join(parts))
    if dice.random() < 0.2:
        stream = bytearray(dice.randbytes(dice.randrange(1, 2000)))
    for _ in range(dice.choice([0, 0, 1, 5])):
        if stream:
            stream[dice.randrange(len(stream))] = dice.randrange(256)
    return bytes(stream[: dice.randrange(1, len(stream) + 1)] if stream and dice.random() < 0.3 else stream)
