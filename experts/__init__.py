"""Experts: base models, adapters, tensors from recipes, training and export.

To be imported from outside: every module. Tensors are read from safetensors files only. It imports torch, transformers,
peft and `swarm`, and no database.
"""
