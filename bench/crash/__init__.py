"""Searches that are killed and resumed; tests/crash has the parts that its tests share."""
