"""Properties of mechanisms as objects: what each says, where it applies, how far a case breaks it."""
