"""Where local work runs, and nothing else: in this process, in worker processes, or whichever is quicker."""

BACKENDS: dict[str, str] = {
    "auto": "times one step and takes rows or pool, whichever gets through a run sooner",
    "rows": "one client after the other in this process, on the CPU or a CUDA device",
    "pool": "worker processes on shared memory, one thread each",
}
"""What each backend is, by name. Importable without torch."""
