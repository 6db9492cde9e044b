"""What the `c360` command does, one module an idea: starting, looking, publishing, keys.

Talks to processes, files of C360_HOME and HTTP addresses only; imports no service.
"""
