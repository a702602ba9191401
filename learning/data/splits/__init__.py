"""How samples are divided: over clients, and into training and test."""
