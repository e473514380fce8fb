"""What a stack file says: its model, its rules, and who may do what by it."""
