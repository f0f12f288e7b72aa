"""What a tracker's own pages show of a comparison: a card for each arm and label budget, a description, the view that opens."""
