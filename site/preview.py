"""Write the site of a release that exists into another folder, beside links to the files that it reads.

    .venv/bin/python site/preview.py data/demo/public/releases/2026.11.1 build/preview

The texts are those of `site/texts` as they are now; scripts and styles are those of `--built`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

from exports.model import layout
from exports.model.errors import ReleaseError
from exports.model.topics import RESERVED
from exports.site import built, write
from exports.site.facts import SiteFacts, TopicFacts
from exports.site.source import Source

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path, help="the folder of a release")
    parser.add_argument("output", type=Path, help="a folder; what it has is replaced")
    parser.add_argument("--built", type=Path, default=built.FOLDER, help="what `node build.mjs` wrote (default: %(default)s)")
    arguments = parser.parse_args()
    start = time.perf_counter()
    release, output = arguments.release.resolve(), arguments.output.resolve()
    if output == release or release in output.parents:
        parser.error("the output must not be the release itself")
    _link_files(release, output)
    try:
        own = built.read(arguments.built)
    except ReleaseError as error:
        print(f"{error}; pages will have no script", file=sys.stderr)
        own = None
    size, count = 0, 0
    for file in write.files(Source(release), _facts(release), built.with_sources(own, HERE / "texts")):
        target = output / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        count, size = count + 1, size + target.write_bytes(file.make())
    print(f"{count} files, {size / 1e6:.1f} MB in {time.perf_counter() - start:.1f} s: {output}/{layout.SITE}/index.html")


def _facts(release: Path) -> SiteFacts:
    """Return the facts that the files of a release still have. They do not say what changed."""
    pages = json.loads((release / layout.PAGES).read_bytes())
    topics = [
        TopicFacts(own["id"], own["titles"], [indicator["id"] for indicator in own["indicators"]])
        for own in pages["data_sets"]
        if own["id"] not in RESERVED
    ]
    sizes = {path.relative_to(release).as_posix(): path.stat().st_size for path in release.rglob("*") if path.is_file()}
    previous = json.loads((release / "provenance.json").read_bytes()).get("compared_with")
    return SiteFacts(topics, sizes, previous, None, pages["base_uri"])


def _link_files(release: Path, output: Path) -> None:
    """Link everything in the release but its site to the output, or copy it to another file system."""
    if (output / layout.SITE).exists():
        shutil.rmtree(output / layout.SITE)
    for path in sorted(release.rglob("*")):
        inside = path.relative_to(release)
        target = output / inside
        if inside.parts[0] == layout.SITE or target.exists():
            continue
        if path.is_dir():
            target.mkdir(parents=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, target)
            except OSError:
                target.symlink_to(path)


if __name__ == "__main__":
    main()
