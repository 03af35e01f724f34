"""From records to scored pairs: models, blocking keys, scoring with Splink, and the explanation of a pair."""
