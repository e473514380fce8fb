"""Takes a service out of its stack, with its data, its schema and its role."""
