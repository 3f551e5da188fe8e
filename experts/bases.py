"""The kinds of bases, as one type."""

from experts.basis import Basis, FullBasis
from experts.seed_basis import SeedBasis

AnyBasis = Basis | FullBasis | SeedBasis
"""What recipes are made from: LoRA experts, full models, or a base model with a way to perturb it."""
