"""Arrays in, metrics and plots out: what one run is worth on its test jets. Import from the modules."""
