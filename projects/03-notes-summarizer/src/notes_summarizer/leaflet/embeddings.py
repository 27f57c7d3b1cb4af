"""The house's sentence embeddings behind LangChain's interface."""

from __future__ import annotations

from langchain_core.embeddings import Embeddings

from carefolio.embeddings import SentenceEncoder


class MiniLM(SentenceEncoder, Embeddings):
    """LangChain's interface to the model; takes what `carefolio.embeddings.SentenceEncoder` takes."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts, as LangChain asks for it.

        Parameters
        ----------
        texts : list of str
            Any texts.

        Returns
        -------
        list of list of float
            One vector of length 1 a text.
        """
        return [[float(value) for value in row] for row in self.encode(texts)]

    def embed_query(self, text: str) -> list[float]:
        """Embed a question, as LangChain asks for it.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        list of float
            A vector of length 1.
        """
        return self.embed_documents([text])[0]
