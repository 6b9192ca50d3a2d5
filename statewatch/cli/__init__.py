"""The command line: one module a command group. Data goes to standard output, talk to standard error."""
