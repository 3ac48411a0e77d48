"""How texts from files and servers are printed: what they send may be commands to a terminal."""


def printable(text: str) -> str:
    """Return `text` with control characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
