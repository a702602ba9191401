"""Where people read: consoles, bars, and tables that fit."""
