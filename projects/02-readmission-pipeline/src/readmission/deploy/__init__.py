"""Putting the trained model where it answers: on this machine, on Amazon SageMaker or on Azure Machine Learning.

Everything that knows a cloud's interface stands in this package, and its libraries are imported inside the functions that use
them. A plan is plain data and needs neither network nor cloud library; only applying one does.
"""
