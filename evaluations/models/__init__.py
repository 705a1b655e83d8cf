"""How it is judged. So far: conflicts of interest."""

from evaluations.models.conflict import ConflictOfInterest

__all__ = ["ConflictOfInterest"]
