"""What a client says of its bills."""

from learning.federation.messages import Bill
from marketproof.federation.join import said_of


def test_a_bill_puts_nothing_but_text_on_the_terminal():
    """Names and sentences are the server's: it does not clear the screen or set the window's title."""
    bill = Bill("r", 1, 1, 0, "a", (("\x1b[2J", 1.0),), (), audit=("\x1b]0;owned\x07", "two\nlines\r", "\u202e\x9b"))
    assert said_of(bill).isprintable()
