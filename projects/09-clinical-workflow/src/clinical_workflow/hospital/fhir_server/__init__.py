"""A FHIR R4 server of Medplum's router and in-memory repository, for Node; see `clinical_workflow.hospital.node_server`."""
