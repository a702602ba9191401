"""Certificates, and the small checkers that trust no solver."""
