"""Bytes and numbers: from an encoded image to an encoded cutout. Knows neither AWS nor HTTP."""
