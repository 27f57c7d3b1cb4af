"""FHIR R4: reading charts, codes and units, resources that are written back, a client, and two servers."""
