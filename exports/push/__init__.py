"""Copy a finished release to where its readers look for it: a folder, a bucket or a portal.

`push_plan` selects the release and checks that it is whole; `folder`, `s3` and `ckan` each know one kind of target. A push changes nothing
in the workspace and takes no lock of it. It can be repeated: what the target has already is left alone, and an interrupted push continues
where it stopped. Libraries for the network are imported only by the functions that need them.
"""
