"""Clients that hold their own samples: what they and the server say to each other, and one client's side of a round."""
