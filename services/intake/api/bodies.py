"""Bodies of requests, unpacked within a limit however a client packed them.

Owns content encodings, and what browsers' libraries do without saying so: gzip bytes, base64, a form's `data`.
"""

from __future__ import annotations

import zlib
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from services.intake.api.answers import Refusal
from services.intake.domain.reading import from_base64

BODY_BYTES_MAX = 512_000
WRAPPINGS_MAX = 3
"""A form that holds base64 that holds gzip: more is no client's way."""
GZIP_MAGIC = b"\x1f\x8b"
FORM_FIELD = b"data="


async def bounded_body(request: Request) -> bytes:
    """The unpacked body. Raises Refusal 413 as soon as it is too large, 400 when it cannot be unpacked."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise Refusal(415, "unknown_encoding", "content-encoding is gzip, deflate or none")
    unpack = zlib.decompressobj(wbits=47) if encoding not in ("identity", "") else None
    parts, size = [], 0
    try:
        async for chunk in request.stream():
            while chunk:
                part = unpack.decompress(chunk, BODY_BYTES_MAX + 1 - size) if unpack else chunk
                size += len(part)
                if size > BODY_BYTES_MAX:
                    raise too_large()
                parts.append(part)
                chunk = unpack.unconsumed_tail if unpack else b""
    except zlib.error:
        raise bad_encoding() from None
    if unpack is not None and not unpack.eof:
        raise Refusal(400, "bad_encoding", "the packed body is cut off")
    return b"".join(parts)


def too_large() -> Refusal:
    """413: more than BODY_BYTES_MAX."""
    return Refusal(413, "too_large", f"a request is at most {BODY_BYTES_MAX} bytes, unpacked")


def bad_encoding() -> Refusal:
    """400: packed otherwise than it says."""
    return Refusal(400, "bad_encoding", "the body is not what content-encoding says")


def unwrapped(body: bytes) -> bytes:
    """JSON text out of what browsers' libraries wrap it in, told by the bytes alone.

    Raises Refusal 400 for a wrapping that cannot be opened, 413 for what is too large inside.
    """
    for _ in range(WRAPPINGS_MAX):
        text = body.strip()
        if text.startswith(GZIP_MAGIC):
            body = _gunzipped(body)
        elif FORM_FIELD in text[:512] and not text.startswith((b"{", b"[")):
            body = _form_field(text)
        elif text[:1] in (b"{", b"[", b""):
            return body
        else:
            body = _decoded(text)
    return body


def _gunzipped(body: bytes) -> bytes:
    unpack = zlib.decompressobj(wbits=31)
    try:
        opened = unpack.decompress(body, BODY_BYTES_MAX + 1)
    except zlib.error:
        raise bad_encoding() from None
    if len(opened) > BODY_BYTES_MAX:
        raise too_large()
    if not unpack.eof:
        raise Refusal(400, "bad_encoding", "the packed body is cut off")
    return opened


def _form_field(text: bytes) -> bytes:
    fields = dict(part.partition(b"=")[::2] for part in text.split(b"&"))
    # A form's plus is a space; base64 has pluses of its own, and no spaces.
    value = fields.get(b"data", b"")
    return unquote_to_bytes(value.replace(b"+", b" "))


def _decoded(text: bytes) -> bytes:
    try:
        return from_base64(text)
    except ValueError:
        raise Refusal(400, "not_json", "the body is neither JSON, nor JSON in base64, gzip or a form") from None
