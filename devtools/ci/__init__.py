"""What the workflows in .github run beside the engine, and what looks at the workflows themselves."""
