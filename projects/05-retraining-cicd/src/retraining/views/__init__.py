"""Sections of the dashboard."""
