"""The makers' frames, one module a maker. Field names and byte layouts are those of their decoders in the device repository."""
