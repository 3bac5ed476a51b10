"""One vision-language model behind four roles: it plans, proposes, compares and explains."""
