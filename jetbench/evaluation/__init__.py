"""What one run is worth on its test jets, and what a dataset holds: figures and pictures. Import from the modules."""
