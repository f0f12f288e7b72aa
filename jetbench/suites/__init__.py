"""The language of questions: a suite file becomes an instance, an instance a plan of runs. Nothing here trains anything."""
