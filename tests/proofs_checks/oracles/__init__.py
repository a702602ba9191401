"""Agreement with independent programs: mechaudit, nashpy, pygambit, pyDVL."""
