"""Field types that take what JSON Schema calls a number or an integer, and nothing else.

Pydantic's ``int`` and ``float`` also take ``"70"`` and ``true``, which the OpenAPI document does not promise; its strict ``int`` refuses
``70.0``, which JSON Schema counts as an integer.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field


def whole(value: Any) -> Any:
    """Turn a float without a fraction into an integer.

    Parameters
    ----------
    value : Any
        As JSON gave it.

    Returns
    -------
    Any
        An int for ``70.0``; everything else as it was.
    """
    return int(value) if isinstance(value, float) and value.is_integer() else value


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Integer = Annotated[int, Field(strict=True), BeforeValidator(whole)]
