"""Serve a `public` folder over HTTP on this machine."""
