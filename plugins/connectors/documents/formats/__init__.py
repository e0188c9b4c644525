"""How is a file opened, whatever kind of file it is? A module per format, one table of them, one budget for all."""
