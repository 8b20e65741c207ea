"""From The Things Stack's messages to readings: `message` parses, `decode` decides, the other files know names, values and models."""
