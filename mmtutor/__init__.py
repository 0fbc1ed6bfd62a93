"""Helpers of the mmtutor course: multimodal machine learning by running it.

One module an idea, named as the course names it. Nothing heavy is imported here: import the module
that you need, `from mmtutor import datasets, evaluate`.
"""

__version__ = "0.1.0"
