"""How good the summaries are: overlap, faithfulness, omission, readability, time and cost, beside published figures."""
