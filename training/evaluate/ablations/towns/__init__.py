"""The ablations on invented towns (synthetic): `python -m geosleuth.training.evaluate.ablations.towns`."""
