"""How is one person taken out of a file that names others too? Never counted as done before it is proven."""
