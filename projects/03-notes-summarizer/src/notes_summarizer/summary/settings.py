"""Settings of the summaries; the values stand in the chapter's ``config.toml``."""

from typing import Annotated

from pydantic import Field

from carefolio.config import Settings


class SummarySettings(Settings):
    """What is read, how it is cut, and when a statement counts as supported.

    Attributes
    ----------
    maximum_bytes : int
        Longest note in bytes of UTF-8.
    chunk_characters : dict of str to int
        Most characters of a note in one prompt, by provider; the smallest of the providers in use holds.
    maximum_items : dict of str to int
        Most items of each list that a model may give for one prompt, by provider; the smallest of the providers in use holds.
    item_characters : dict of str to int
        Longest item, by provider; the smallest of the providers in use holds.
    written_characters : int
        Longest section or note that a model may write.
    support_threshold : float
        Least share of a statement's weight that its source sentences must hold.
    neighbours : int
        Sentences on either side of a source that are read with it: a question and its answer.
    foreign_share : float
        Share of a text's words that frequent words of another language must make up before it is refused for them.
    summary_prompt, section_prompt, note_prompt : str
        Names of the prompt files.
    """

    maximum_bytes: int = Field(gt=0)
    chunk_characters: dict[str, int]
    maximum_items: dict[str, int]
    item_characters: dict[str, Annotated[int, Field(ge=40)]]
    written_characters: int = Field(ge=200)
    support_threshold: float = Field(gt=0, le=1)
    neighbours: int = Field(ge=0, le=3)
    foreign_share: float = Field(gt=0, le=1)
    summary_prompt: str
    section_prompt: str
    note_prompt: str
