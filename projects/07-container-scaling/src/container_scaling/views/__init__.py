"""The sections of the dashboard, each with libraries of its own."""
