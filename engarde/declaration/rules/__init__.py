"""Rules over a whole stack file, where each key may be right and the whole is not."""
