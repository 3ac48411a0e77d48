"""Table files of a release, one module a format. They write what they are given; what is in it is the business of `frame`."""
