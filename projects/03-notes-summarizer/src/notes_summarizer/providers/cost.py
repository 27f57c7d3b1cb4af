"""What an answer cost."""

from __future__ import annotations

from collections.abc import Mapping

from notes_summarizer.providers.settings import REMOTE, Price


def cost_usd(provider: str, models: tuple[str, ...], input_tokens: int | None, output_tokens: int | None,
             prices: Mapping[str, Price]) -> float | None:
    """Compute the cost of an answer.

    Parameters
    ----------
    provider : str
        Who wrote it.
    models : tuple of str
        Names under which its price may stand; the first that has one counts.
    input_tokens, output_tokens : int or None
        As the provider counted them.
    prices : mapping of str to Price
        By model.

    Returns
    -------
    float or None
        US dollars: 0 on this machine, None if the price or the tokens are unknown.
    """
    if provider not in REMOTE:
        return 0.0
    price = next((prices[model] for model in models if model in prices), None)
    if price is None or input_tokens is None or output_tokens is None:
        return None
    return (input_tokens * price.input_usd_per_million + output_tokens * price.output_usd_per_million) / 1e6
