"""The server behind `zpo2 serve`, for looking at a release and for testing harvesters. It writes nothing and is not a public web server."""

from __future__ import annotations

from pathlib import Path


def serve(public: Path, host: str, port: int) -> None:
    """Serve `public` until the process is interrupted."""
    import uvicorn  # slow to import, like the application

    from exports.serve.app import application
    from pipelines.core.connections import guarded

    uvicorn.run(
        application(public),
        host=host,
        port=port,
        log_level="error",
        access_log=False,
        server_header=False,
        http=guarded(),
        use_colors=False,
        ws="none",
    )
