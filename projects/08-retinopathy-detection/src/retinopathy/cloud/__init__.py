"""Training and serving the grader on Amazon SageMaker, Azure Machine Learning and Vertex AI: the program of the image, and what to ask for.

Everything that knows a cloud's interface stands in this package. A plan is plain data and needs neither network nor cloud library.
"""
