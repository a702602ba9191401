"""Buyers and sellers."""
