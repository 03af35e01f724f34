"""The shared nouns: schemata, values, labels, observers, the policy, records and errors."""
