"""The index as a LangChain retriever, for any chain that takes one."""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from notes_summarizer.leaflet.index import LeafletIndex, Method


class PassageRetriever(BaseRetriever):
    """Find passages by words and meaning.

    Attributes
    ----------
    index : LeafletIndex
        Where to search.
    k : int
        Most passages.
    method : {"hybrid", "bm25", "dense"}
        Which ranking.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: LeafletIndex
    k: int = 5
    method: Method = "hybrid"

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [Document(page_content=hit.passage.text, id=str(hit.passage.number),
                         metadata={"title": hit.passage.title, "url": hit.passage.url, "source": hit.passage.source,
                                   "score": hit.score, "rank": hit.rank})
                for hit in self.index.search(query, k=self.k, method=self.method)]
