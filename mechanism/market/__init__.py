"""mechanism/market."""
