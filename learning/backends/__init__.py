"""Where local work runs, and nothing else: in this process, one client or several at a time, or in workers."""

BACKENDS: dict[str, str] = {
    "auto": "times a few steps and takes the one that gets through a run soonest",
    "rows": "one client after the other in this process, on the CPU or a CUDA device",
    "pool": "worker processes on shared memory, one thread each",
    "stacked": "several clients at once in this process, for a CUDA device and tiny batches; other last bits",
    "federated": "clients that hold their own samples and talk to the server in messages: here all in one process",
}
"""What each backend is, by name. Importable without torch."""
