"""The web site inside a release: pages, data for them, and the scripts and styles that the build of `site/` leaves in `built`."""
