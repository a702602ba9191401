"""Markets of up to millions of clients: nothing of size m squared is ever made."""
