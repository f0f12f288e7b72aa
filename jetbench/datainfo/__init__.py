"""What a dataset is before anything is trained on it: its summary, its plots, and what each augmentation does to it."""
