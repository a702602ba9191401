"""The playground: set up clients, drag a report, switch the rule, look for a lie. `app` wires it, the rest computes."""
