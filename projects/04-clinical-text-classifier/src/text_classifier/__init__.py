"""Does fine-tuning a language model on clinical text beat a word count that costs nothing?

Three tasks: which section of a note a conversation belongs to (MTS-Dialog), whether a study answers its question with yes, no or maybe
(PubMedQA), and which specialty wrote a report (MTSamples). Two open models, tuned in full and by adapters of low rank, on a laptop. A
tuned model counts only where its lead over the best baseline is outside of chance. For research and education; not a medical device.
"""
