"""Public files whose truth is known, beside the project in ``../shared/data``, and how well they were resolved."""
