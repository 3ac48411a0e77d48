"""A finished release to where its readers look for it: a folder, a bucket, a portal. Changes nothing in the home, and holds no lock of it.

`outgoing` says which release goes out and that it is whole; `folder`, `s3` and `ckan` each know one kind of target. All of them do the same
again without harm: what is there already is left alone, so that a push that was killed goes on where it stopped. The libraries of the
network are imported by those who use them.
"""
