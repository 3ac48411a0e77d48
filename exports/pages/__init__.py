"""The HTML pages of a release and beside it, for people: plain, without scripts, in each language of the pack.

`description` says what the pages say about a release and stays in it as `pages.json`, so that the pages beside the releases can be made
again at any time. `release_page` makes the page inside a release; `exports.release.pointer_pages` makes those beside it.
"""
