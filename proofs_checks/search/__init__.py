"""Where a mechanism is asked: cases, profiles and reports, lines, break points, shrinking, the best lies in markets."""
