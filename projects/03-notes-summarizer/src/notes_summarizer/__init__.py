"""Can a summary of a clinical note be trusted to add nothing, to lose nothing and to leak nobody?

Identifiers are taken out before a text leaves the process and put back after; every sentence of a summary names the sentences that
it rests on; what the source does not say is marked. The same pipeline runs without a language model, with a small one on this
machine, or with any OpenAI-compatible endpoint. Leaflets for patients are written from passages of MedQuAD, and cite them.
"""
