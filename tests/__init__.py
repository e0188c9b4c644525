"""Does the product keep its promises? One folder for each kind of question."""
