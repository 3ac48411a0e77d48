"""The one error of all readers. Says where a snapshot stops being readable; what happens then is not decided here."""


class UnreadableSnapshot(Exception):
    """The bytes are not what the options say: the message names the line, row, member or key where the shape breaks."""
