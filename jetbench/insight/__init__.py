"""A look inside finished runs: what a network looks at, where it fails, in what two of them differ. Import from the modules."""
