"""HTTP and its stand-ins: what to fetch, how to fetch it safely, and how much. Knows no protocol above HTTP."""
