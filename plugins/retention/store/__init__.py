"""Where everything stands: the only code that speaks SQL. Functions take an open transaction; callers own commits."""
