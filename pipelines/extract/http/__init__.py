"""HTTP and local files: requests, limits, rate limits, and the checks of an address before anything is sent to it."""
