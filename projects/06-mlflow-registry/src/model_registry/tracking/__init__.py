"""All that talks to MLflow: the server, the journal of a run and its delivery, models, aliases."""
