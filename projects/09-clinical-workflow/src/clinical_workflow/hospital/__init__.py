"""A mock hospital: its FHIR server, its authorization server, and an electronic health record in the browser."""
