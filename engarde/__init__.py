"""Many services in one PostgreSQL: the declared stack, who may do what in it, and the operator's tool."""
