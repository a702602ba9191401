"""Strategic play as ``strategic`` reports it: equilibria, welfare, and what lies would have earned."""
