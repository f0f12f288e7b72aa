"""Statistics: AUC and DeLong, rejection, intervals, the bootstrap, verdicts and their calibration. Import from the modules."""
