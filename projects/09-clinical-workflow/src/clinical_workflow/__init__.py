"""How does a model reach the clinician at the right moment, and how is it stopped when it should be?

A model that nobody sees at the bedside helps nobody, and one that cannot be stopped should not be there. This package puts the other
chapters' models into a mock hospital built of the real standards (FHIR R4, CDS Hooks 2.0, SMART), in shadow mode first and with a switch
that works within one request. For research and education; not a medical device.
"""
