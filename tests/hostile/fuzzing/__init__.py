"""Fuzzing: real files, declarations and requests are changed at random and given to the readers, `zpo2 check`, the receiver and the server.

`python -m tests.hostile.fuzzing --seconds 3600 --seed 1 --keep FOLDER` runs it; what it finds is in FOLDER.
"""
