"""X-CLIP (arXiv 2208.02816) in PyTorch, in the order of the paper.

`config`, `attention`, `vision`, `temporal`, `text`, `prompting`, `model`, `initialisation`.
"""
