"""What a suite instance says: tables, verdicts, pictures and one page, made from finished run folders alone."""
