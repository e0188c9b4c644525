"""Which ways are there to the files of a server? One module a protocol, all of them a `FileStore` (see `store`)."""
