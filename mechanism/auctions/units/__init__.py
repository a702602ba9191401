"""Several units, positions, bundles, or room for several."""
