"""The engine of this project: a population's requests packed together on one resident model."""
