"""Short budgets of the campaigns, and proof that they find what they look for."""
