"""SMART App Launch 2: scopes, an authorization server for the mock hospital, backend services, and the launch of an app."""
