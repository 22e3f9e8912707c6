"""What can go wrong at an endpoint: what passes, what is one question's own, and what ends the run."""

from __future__ import annotations

import json
import random
import re
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from harness.candidates.endpoint import Endpoint
from harness.errors import HarnessError, IncompleteError, InputError

#: Longest wait before a request is sent again, unless the server names a longer one.
LONGEST_WAIT = 30.0
#: A server that wants a longer pause than this is not waited for.
PATIENCE = 600.0

_SECRET = re.compile(r"\b(sk|pk|gsk|hf|ms)[-_][A-Za-z0-9_\-]{6,}|(?<=Bearer )\S+", re.ASCII)


class Secrets:
    """Values that may stand in no message, file or page."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = sorted({value for value in values if len(value) >= 4}, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """The text without them, and without anything else that looks like a key."""
        for value in self._values:
            text = text.replace(value, "***")
        return _SECRET.sub("***", text)


class Passing(Exception):
    """A failure that may be gone the next time.

    Attributes:
        retry_after: seconds that the server asked for.
        overloaded: the server has too much to do; everybody should slow down.
    """

    def __init__(self, why: str, *, retry_after: float | None = None, overloaded: bool = False) -> None:
        super().__init__(why)
        self.why, self.retry_after, self.overloaded = why, retry_after, overloaded

    def wait(self, attempt: int, draw: random.Random) -> float:
        """Seconds until the next attempt: what the server says, else exponential backoff with full jitter.

        After Brooker, "Exponential backoff and jitter" (2015).
        """
        if self.retry_after is not None:
            return self.retry_after + draw.uniform(0.0, 0.25)
        return draw.uniform(0.0, min(LONGEST_WAIT, 0.5 * 2.0**attempt))


class Refused(Exception):
    """This question is not answered, whatever one does; others may be."""


def classify(error: Exception, endpoint: Endpoint, secrets: Secrets, *, has_key: bool) -> Exception:
    """What an exception of the client means: `Passing`, `Refused`, or a `HarnessError` that ends the run."""
    import openai

    if isinstance(error, (Passing, Refused, HarnessError)):
        return error
    if isinstance(error, (openai.APITimeoutError, TimeoutError)):
        return Passing(f"no answer within {endpoint.timeout:g} s", overloaded=True)
    if isinstance(error, openai.APIStatusError):
        return _status(error, endpoint, secrets, has_key=has_key)
    if isinstance(error, openai.APIConnectionError):
        if found := _tls(error):
            return InputError(
                f"the server's TLS certificate is not accepted ({secrets.hide(found)})",
                where=endpoint.url,
                remedy="Use the address that the certificate is for; SSL_CERT_FILE names further authorities.",
            )
        return Passing(f"the connection failed ({secrets.hide(_reason(error))})")
    if isinstance(error, (openai.APIResponseValidationError, json.JSONDecodeError, UnicodeDecodeError)):
        return Passing("the server's answer is no JSON, or half of it")
    return error


def _status(error: Any, endpoint: Endpoint, secrets: Secrets, *, has_key: bool) -> Exception:
    code, said = error.status_code, secrets.hide(_said(error.body, str(error)))
    if code in (401, 403):
        what = f"the key in {endpoint.key_env} is not accepted" if has_key else "the server wants a key"
        remedy = "Check it." if has_key else f"Set {endpoint.key_env}, or name another variable in key_env."
        return InputError(f"{what} (HTTP {code}: {said})", where=endpoint.url, remedy=remedy)
    if code == 402 or "insufficient_quota" in json.dumps(error.body, default=str):
        return IncompleteError(
            f"the account has no credit left (HTTP {code}: {said})",
            where=endpoint.url,
            remedy="What was answered is kept. Run it again when there is.",
        )
    if code == 404:
        return InputError(
            f"the server knows no model {endpoint.model!r}, or no such address (HTTP 404: {said})",
            where=endpoint.url,
            remedy="An address usually ends in /v1.",
        )
    if code in (408, 409, 425, 429) or code >= 500:
        after = retry_after(error.response.headers)
        if after is not None and after > PATIENCE:
            return IncompleteError(
                f"the server asks to come back in {after:.0f} s (HTTP {code}: {said})",
                where=endpoint.url,
                remedy="Run it again then: only what is missing is asked.",
            )
        return Passing(f"HTTP {code}: {said}", retry_after=after, overloaded=code == 429 or code >= 500)
    return Refused(f"HTTP {code}: {said}")


def retry_after(headers: Any) -> float | None:
    """Seconds that `Retry-After` (or `retry-after-ms`) asks for (RFC 9110, 10.2.3), None where it says nothing."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000.0)
        value = headers.get("retry-after")
        if not value:
            return None
        if re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
            return float(value)
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def unreachable(error: Passing, endpoint: Endpoint) -> InputError:
    """The server did not even say which models it has."""
    return InputError(
        f"cannot be reached: {error.why}",
        where=endpoint.url,
        remedy="Is the server running, and is the address right? It usually ends in /v1.",
    )


def _said(body: Any, otherwise: str) -> str:
    """The server's own words, in one short line."""
    found = body
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and key in found:
            found = found[key]
    text = found if isinstance(found, str) else otherwise
    return " ".join(text.split())[:300]


def _reason(error: BaseException) -> str:
    """The innermost cause that says something."""
    text, cause = str(error), error.__cause__ or error.__context__
    while cause is not None:
        text = str(cause) or text
        cause = cause.__cause__ or cause.__context__
    return " ".join(text.split())[:200]


def _tls(error: BaseException) -> str | None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(cause) or "[SSL" in str(cause):
            return _reason(error)
        cause = cause.__cause__ or cause.__context__
    return None
