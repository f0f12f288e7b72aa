"""What one run is worth on its test jets: metrics, figures and the files that hold them. Import from the modules."""
