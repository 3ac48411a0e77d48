"""Serve a `public` folder on this machine: ranges, validators, media types, and `latest/` leading into the current release.

For a look at a release and for tests of harvesters. It writes nothing and is no public web server.
"""

from __future__ import annotations

from pathlib import Path


def serve(public: Path, host: str, port: int) -> None:
    """Answer requests until the process is interrupted."""
    import uvicorn  # both take a quarter of a second to load

    from exports.serve.app import application

    uvicorn.run(application(public), host=host, port=port, log_level="warning", access_log=False, server_header=False)
