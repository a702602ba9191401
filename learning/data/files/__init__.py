"""Readers of files from outside: bounded, checked before anything is unpacked, one line for whatever is wrong."""
