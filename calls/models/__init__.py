"""How projects are won: visions, supported technologies and concepts."""

from calls.models.vision import Concept, ConceptItem, SupportedTechnology, Vision

__all__ = ["Concept", "ConceptItem", "SupportedTechnology", "Vision"]
