"""Pure statistics: AUC and DeLong, background rejection, intervals, verdicts and their calibration. Import from the modules."""
