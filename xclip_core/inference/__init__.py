"""Inference: devices, precisions, batches, and encoders that are faster than those of `model`."""
