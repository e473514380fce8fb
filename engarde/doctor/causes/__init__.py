"""The causes of errors: a module for each thing that can be wrong."""
