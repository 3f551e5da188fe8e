"""Base models, adapters, materialising recipes, training, export."""
