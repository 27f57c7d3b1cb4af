"""Forms that a page of the record has sent: those of another site are refused."""

from __future__ import annotations

import hmac

from fastapi import HTTPException, Request

MOST_FIELDS = 20


async def read_form(request: Request) -> dict[str, str]:
    """Read a form that a page of this session has sent.

    Parameters
    ----------
    request : Request
        With the session's cookie and, in the form, the token that the page was given.

    Returns
    -------
    dict of str to str
        Fields of text.

    Raises
    ------
    HTTPException
        403 where the session has no token yet, or the form holds another.
    """
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        values = {name: value for name, value in form.items() if isinstance(value, str)}
    expected, got = str(request.session.get("token", "")), values.get("token", "")
    if not expected or not hmac.compare_digest(got.encode(), expected.encode()):
        raise HTTPException(403, "The form is not from this session; open the page again.")
    return values
