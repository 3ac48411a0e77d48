"""The pipeline from declared sources to a published release. Statistics, file formats and publication have rooms of their own."""
