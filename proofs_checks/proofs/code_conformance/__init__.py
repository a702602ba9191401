"""Whether code computes the formula that is proved, on drawn markets and bids."""
