"""How fast is it, and how many calls does it take? Each figure beside a reference measured in the same run."""
