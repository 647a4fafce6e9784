"""Segmentation models: the manifest that describes them, and inference with ONNX Runtime."""
