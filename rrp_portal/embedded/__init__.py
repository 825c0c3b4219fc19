"""A real PostgreSQL and a real Redis from wheels, for machines where no server is configured."""
