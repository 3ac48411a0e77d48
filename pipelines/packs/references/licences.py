"""Licences of packs and sources: SPDX identifiers and expressions of them."""

from __future__ import annotations

NO_ASSERTION = "NOASSERTION"


def licence_fault(licence: str) -> str | None:
    """Return why `licence` is no SPDX identifier or expression, or None."""
    if licence == NO_ASSERTION:
        return None
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        canonical = canonicalize_license_expression(licence)
    except InvalidLicenseExpression:
        return f"{licence}: not an SPDX identifier such as CC-BY-4.0; without a stated licence, write NOASSERTION"
    return None if canonical == licence else f"{licence}: write it as SPDX does, {canonical}"
