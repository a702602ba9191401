"""Automated mechanism design: linear systems in fractions, solved and checked."""
