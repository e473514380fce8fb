"""What knows nothing of stacks or servers: files, processes, text, the terminal."""
