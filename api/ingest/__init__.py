"""From a webhook to an acknowledged record of `uplinks`: authenticate, find the device, produce, answer. Nothing is decoded."""
