"""Deploy back ends: one file each, named by its `kind`, all with the shape of `Deploys` in base.py."""
