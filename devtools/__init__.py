"""What developers use beside the product: a local server, provider stubs, CI."""
