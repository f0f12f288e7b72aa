"""Whether this machine, its packages, folders and services are fit for a suite, and what to do where they are not."""

from jetbench.doctor.finding import Finding
from jetbench.doctor.looks import examine

__all__ = ["Finding", "examine"]
