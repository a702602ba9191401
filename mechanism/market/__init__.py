"""The model market: clients, gain laws, allocation and payment rules, the accounting identity."""
