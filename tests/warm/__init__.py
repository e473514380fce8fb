"""Starts what the engine starts in Python from a process that has its libraries in memory already.

At every command the engine starts language hosts and providers, and each would load the SDK anew, which takes longer
than all that it is asked. Here what the engine starts is a client of a few lines, which hands over what it was given
(words, environment, folder, open files) to a process that forks; the fork runs the project's own code. The client ends
as the fork does, and the fork ends when the client is killed.
"""
