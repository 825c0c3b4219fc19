"""What keeps the code in order: gates, reports and installation."""
