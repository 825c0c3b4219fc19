"""Running jobs, and the workers' sign of life."""
