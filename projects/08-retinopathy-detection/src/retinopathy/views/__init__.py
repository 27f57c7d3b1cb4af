"""The sections of the chapter's dashboard."""
