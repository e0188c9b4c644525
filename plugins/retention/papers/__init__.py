"""What does a data-protection officer hand in? Papers drawn from policy and ledger; none of them names a subject."""
