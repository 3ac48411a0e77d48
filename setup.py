"""Say what the wheel carries: the packages, and the folders of the repository that `zpo2` needs outside of a clone.

Everything else about the package is in pyproject.toml, which cannot give a folder another place in the wheel.
"""

from setuptools import find_packages, setup

# package in the wheel: folder in the repository; pipelines/bundled/__init__.py finds them in both
BUNDLED = {
    "pipelines.bundled.dbt_project": "dbt_project",
    "pipelines.bundled.demo_pack": "packs/demo",
    "pipelines.bundled.starter_pack": "templates/pack-repository/pack",
}
LEFT_OUT = ["target/*", "logs/*", "dbt_packages/*", "*/__pycache__/*"]  # what dbt and Python leave behind

setup(
    packages=[*find_packages(include=["pipelines*", "quality*", "exports*"]), *BUNDLED],
    package_dir=BUNDLED,
    package_data={
        "exports.metadata": ["templates/*.j2"],
        "exports.pages": ["templates/*"],
        "exports.site": ["templates/*.j2", "built/*"],
        **{name: ["**/*"] for name in BUNDLED},
    },
    exclude_package_data=dict.fromkeys(BUNDLED, LEFT_OUT),
)
