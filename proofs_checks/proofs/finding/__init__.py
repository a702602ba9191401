"""Provers and finders of certificates: whatever they find is checked."""
